#include "orchestration/data/layer_tensors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

using isa::DType;
using kernels::AttentionKind;
using C = kernels::LayerConfig;

constexpr DType kI8 = DType::I8, kI32 = DType::I32, kI64 = DType::I64, kBF16 = DType::BF16, kF32 = DType::F32;
constexpr Role kInput = Role::Input, kPool = Role::Pool, kOutput = Role::Output, kMid = Role::Intermediate;
constexpr bool kShared = true, kPerRank = false;
constexpr std::uint8_t kSwa = 1U << isa::index_of(AttentionKind::Swa);
constexpr std::uint8_t kHca = 1U << isa::index_of(AttentionKind::Hca);
constexpr std::uint8_t kCsa = 1U << isa::index_of(AttentionKind::Csa);
constexpr std::uint8_t kCompressed = kHca | kCsa;
constexpr std::uint8_t kAll = kSwa | kHca | kCsa;
constexpr std::uint8_t kModel = 0;

/// Shapes that several tensors share; S1's symbols.
Shape token_row(const C& c) { return {c.tokens(), c.hidden}; }
Shape stack(const C& c) { return {c.tokens(), c.hc_mult, c.hidden}; }
Shape per_token(const C& c) { return {c.tokens()}; }
Shape token_scalar(const C& c) { return {c.tokens(), 1}; }
Shape hidden(const C& c) { return {c.hidden}; }
Shape mix_matrix(const C& c) { return {c.mix_width(), std::uint64_t{c.hc_mult} * c.hidden}; }
Shape mix_scale(const C&) { return {3}; }
Shape mix_base(const C& c) { return {c.mix_width()}; }
Shape post(const C& c) { return {c.tokens(), c.hc_mult}; }
Shape comb(const C& c) { return {c.tokens(), std::uint64_t{c.hc_mult} * c.hc_mult}; }
Shape rope_table(const C& c) { return {c.max_positions, c.rope_dim}; }
Shape rope_rows(const C& c) { return {c.tokens(), c.rope_dim}; }
Shape head_rows(const C& c) { return {c.tokens(), c.head_dim}; }
Shape into_heads(const C& c) { return {c.hidden, c.head_dim}; }
Shape into_two_heads(const C& c) { return {c.hidden, 2ULL * c.head_dim}; }
Shape into_two_index_rows(const C& c) { return {c.hidden, 2ULL * c.index_dim}; }
Shape c4_table(const C& c) { return {c.batch, c.c4_max_blocks}; }
Shape expert_up(const C& c) { return {c.local_experts, c.moe_inter, c.hidden}; }
Shape expert_up_scale(const C& c) { return {c.local_experts, c.moe_inter}; }
Shape shared_up(const C& c) { return {c.moe_inter, c.hidden}; }
Shape shared_up_scale(const C& c) { return {c.moe_inter}; }
Shape routes(const C& c) { return {c.tokens(), c.top_k}; }
Shape recv_rows(const C& c) { return {c.local_experts, c.recv_max, c.hidden}; }
Shape recv_values(const C& c) { return {c.local_experts, c.recv_max}; }
Shape index_scores(const C& c) { return {c.batch, c.seq, c.max_positions / 4}; }
Shape kv_page_pool(const C& c, std::uint32_t pages, std::uint32_t width) {
  return {std::uint64_t{c.batch} * pages, c.page, 1, width};
}
/// One column per window slot, then the compressed entries a token may select (S6).
Shape index_list(const C& c) {
  switch (attention_kind(c)) {
    case AttentionKind::Swa:
      return {c.tokens(), c.window};
    case AttentionKind::Hca:
      return {c.tokens(), std::uint64_t{c.window} + std::min(c.max_positions / 128, c.index_topk)};
    case AttentionKind::Csa:
      break;
  }
  return {c.tokens(), std::uint64_t{c.window} + c.index_topk};
}

double one_over_root(double n) { return 1.0 / std::sqrt(n); }
double zero(const C&) { return 0.0; }
double half(const C&) { return 0.5; }
double one(const C&) { return 1.0; }
double activation(const C&) { return 0.05; }
double position_bias(const C&) { return 0.01; }
double fan_hidden(const C& c) { return one_over_root(c.hidden); }
double fan_stack(const C& c) { return one_over_root(double{1.0} * c.hc_mult * c.hidden); }
double fan_q_lora(const C& c) { return one_over_root(c.q_lora); }
double fan_inter(const C& c) { return one_over_root(c.moe_inter); }
double one_page(const C&) { return 1.0; }
double cmp_pages(const C& c) { return c.cmp_max_blocks; }
double idx_pages(const C& c) { return c.idx_max_blocks; }
double c4_pages(const C& c) { return c.c4_pages(); }
double c128_pages(const C& c) { return c.c128_pages(); }
double ring_rows(const C& c) { return c.page; }
double cmp_rows(const C& c) { return double{1.0} * c.cmp_max_blocks * c.page; }
double idx_rows(const C& c) { return double{1.0} * c.idx_max_blocks * c.page; }
double c4_rows(const C& c) { return double{1.0} * c.c4_pages() * c.c4_page; }
double c128_rows(const C& c) { return double{1.0} * c.c128_pages() * c.c128_page; }

/// Page numbers, and rows with -1 for "do not write", of `parameter` pages or rows per request.
template <double (*kPages)(const C&)>
IndexRange pages_of(const C& c) {
  return {0, static_cast<std::int64_t>(kPages(c)) * c.batch};
}
template <double (*kRows)(const C&)>
IndexRange rows_of(const C& c) {
  return {-1, static_cast<std::int64_t>(kRows(c)) * c.batch};
}
IndexRange positions(const C& c) { return {0, c.max_positions}; }
IndexRange lengths(const C& c) { return {0, std::int64_t{c.max_positions} + 1}; }
IndexRange expert_ids(const C& c) { return {0, c.experts}; }
IndexRange token_ids(const C& c) { return {0, c.vocab}; }

// clang-format off
const std::array kTensors{
  // attention, every kind
  TensorSpec{"x_hc", kBF16, kInput, kPerRank, kAll, stack, Init::Normal, activation, nullptr, Trait::StackBefore},
  TensorSpec{"hc_attn_fn", kF32, kInput, kShared, kAll, mix_matrix, Init::Normal, fan_stack},
  TensorSpec{"hc_attn_scale", kF32, kInput, kShared, kAll, mix_scale, Init::Constant, half},
  TensorSpec{"hc_attn_base", kF32, kInput, kShared, kAll, mix_base, Init::Constant, zero},
  TensorSpec{"attn_norm_w", kF32, kInput, kShared, kAll, hidden, Init::Constant, one},
  TensorSpec{"wq_a", kBF16, kInput, kShared, kAll, [](const C& c) { return Shape{c.hidden, c.q_lora}; }, Init::Normal, fan_hidden},
  TensorSpec{"wq_b", kI8, kInput, kShared, kAll, [](const C& c) { return Shape{c.q_lora, std::uint64_t{c.heads} * c.head_dim}; }, Init::QuantColumns, fan_q_lora},
  TensorSpec{"wq_b_scale", kF32, kInput, kShared, kAll, [](const C& c) { return Shape{std::uint64_t{c.heads} * c.head_dim}; }, Init::QuantScale},
  TensorSpec{"wkv", kBF16, kInput, kShared, kAll, into_heads, Init::Normal, fan_hidden},
  TensorSpec{"gamma_cq", kBF16, kInput, kShared, kAll, [](const C& c) { return Shape{c.q_lora}; }, Init::Constant, one},
  TensorSpec{"gamma_ckv", kBF16, kInput, kShared, kAll, [](const C& c) { return Shape{c.head_dim}; }, Init::Constant, one},
  TensorSpec{"freqs_cos", kBF16, kInput, kShared, kAll, rope_table, Init::RopeCos},
  TensorSpec{"freqs_sin", kBF16, kInput, kShared, kAll, rope_table, Init::RopeSin},
  TensorSpec{"kv_cache", kBF16, kPool, kPerRank, kAll, [](const C& c) { return kv_page_pool(c, 1, c.head_dim); }, Init::UnitRmsRows, nullptr, nullptr, Trait::Ring},
  TensorSpec{"block_table", kI32, kInput, kShared, kAll, [](const C& c) { return Shape{c.batch, 1}; }, Init::BlockTable, one_page, pages_of<one_page>},
  TensorSpec{"ori_slot_mapping", kI64, kInput, kShared, kAll, per_token, Init::RingSlots, ring_rows, rows_of<ring_rows>},
  // slots of the compressed kinds
  TensorSpec{"hca_cmp_slot_mapping", kI64, kInput, kShared, kHca, per_token, Init::CompressedSlots, cmp_rows, rows_of<cmp_rows>},
  TensorSpec{"hca_state_slot_mapping", kI64, kInput, kShared, kHca, per_token, Init::StateSlots, c128_rows, rows_of<c128_rows>},
  TensorSpec{"csa_cmp_slot_mapping", kI64, kInput, kShared, kCsa, per_token, Init::CompressedSlots, cmp_rows, rows_of<cmp_rows>},
  TensorSpec{"csa_idx_slot_mapping", kI64, kInput, kShared, kCsa, per_token, Init::CompressedSlots, idx_rows, rows_of<idx_rows>},
  TensorSpec{"csa_state_slot_mapping", kI64, kInput, kShared, kCsa, per_token, Init::StateSlots, c4_rows, rows_of<c4_rows>},
  TensorSpec{"csa_inner_state_slot_mapping", kI64, kInput, kShared, kCsa, per_token, Init::StateSlots, c4_rows, rows_of<c4_rows>},
  TensorSpec{"position_ids", kI32, kInput, kShared, kAll, per_token, Init::Positions, nullptr, positions},
  TensorSpec{"kv_seq_lens", kI32, kInput, kShared, kAll, [](const C& c) { return Shape{c.batch}; }, Init::SequenceLengths, nullptr, lengths},
  TensorSpec{"attn_sink", kF32, kInput, kShared, kAll, [](const C& c) { return Shape{c.heads}; }, Init::Constant, zero},
  TensorSpec{"wo_a", kBF16, kInput, kShared, kAll, [](const C& c) { return Shape{c.o_groups, c.o_lora, c.group_inner()}; }, Init::Normal, [](const C& c) { return one_over_root(c.group_inner()); }},
  TensorSpec{"wo_b", kI8, kInput, kShared, kAll, [](const C& c) { return Shape{c.hidden, std::uint64_t{c.o_groups} * c.o_lora}; }, Init::QuantRows, [](const C& c) { return one_over_root(double{1.0} * c.o_groups * c.o_lora); }},
  TensorSpec{"wo_b_scale", kF32, kInput, kShared, kAll, hidden, Init::QuantScale},
  // hca compressor
  TensorSpec{"hca_cmp_wkv", kBF16, kInput, kShared, kHca, into_heads, Init::Normal, fan_hidden},
  TensorSpec{"hca_cmp_wgate", kBF16, kInput, kShared, kHca, into_heads, Init::Normal, fan_hidden},
  TensorSpec{"hca_cmp_ape", kF32, kInput, kShared, kHca, [](const C& c) { return Shape{128, c.head_dim}; }, Init::Normal, position_bias},
  TensorSpec{"hca_cmp_norm_w", kF32, kInput, kShared, kHca, [](const C& c) { return Shape{c.head_dim}; }, Init::Constant, one},
  TensorSpec{"hca_compress_state", kF32, kPool, kShared, kHca, [](const C& c) { return Shape{std::uint64_t{c.batch} * c.c128_pages(), c.c128_page, 2ULL * c.head_dim}; }, Init::Constant, zero},
  TensorSpec{"hca_compress_state_block_table", kI32, kInput, kShared, kHca, [](const C& c) { return Shape{c.batch, c.c128_max_blocks}; }, Init::BlockTable, c128_pages, pages_of<c128_pages>},
  // csa compressor, indexer and its inner compressor
  TensorSpec{"csa_cmp_wkv", kBF16, kInput, kShared, kCsa, into_two_heads, Init::Normal, fan_hidden},
  TensorSpec{"csa_cmp_wgate", kBF16, kInput, kShared, kCsa, into_two_heads, Init::Normal, fan_hidden},
  TensorSpec{"csa_cmp_ape", kF32, kInput, kShared, kCsa, [](const C& c) { return Shape{4, 2ULL * c.head_dim}; }, Init::Normal, position_bias},
  TensorSpec{"csa_cmp_norm_w", kF32, kInput, kShared, kCsa, [](const C& c) { return Shape{c.head_dim}; }, Init::Constant, one},
  TensorSpec{"csa_compress_state", kF32, kPool, kShared, kCsa, [](const C& c) { return Shape{std::uint64_t{c.batch} * c.c4_pages(), c.c4_page, 4ULL * c.head_dim}; }, Init::CompressorHistory, activation},
  TensorSpec{"csa_compress_state_block_table", kI32, kInput, kShared, kCsa, c4_table, Init::BlockTable, c4_pages, pages_of<c4_pages>},
  TensorSpec{"csa_idx_wq_b", kI8, kInput, kShared, kCsa, [](const C& c) { return Shape{c.q_lora, std::uint64_t{c.index_heads} * c.index_dim}; }, Init::QuantColumnsAway, fan_q_lora},
  TensorSpec{"csa_idx_wq_b_scale", kF32, kInput, kShared, kCsa, [](const C& c) { return Shape{std::uint64_t{c.index_heads} * c.index_dim}; }, Init::QuantScale},
  TensorSpec{"csa_weights_proj", kBF16, kInput, kShared, kCsa, [](const C& c) { return Shape{c.hidden, c.index_heads}; }, Init::Normal, fan_hidden},
  TensorSpec{"csa_hadamard_idx", kBF16, kInput, kShared, kCsa, [](const C& c) { return Shape{c.index_dim, c.index_dim}; }, Init::Hadamard},
  TensorSpec{"csa_inner_wkv", kBF16, kInput, kShared, kCsa, into_two_index_rows, Init::Normal, fan_hidden},
  TensorSpec{"csa_inner_wgate", kBF16, kInput, kShared, kCsa, into_two_index_rows, Init::Normal, fan_hidden},
  TensorSpec{"csa_inner_ape", kF32, kInput, kShared, kCsa, [](const C& c) { return Shape{4, 2ULL * c.index_dim}; }, Init::Normal, position_bias},
  TensorSpec{"csa_inner_norm_w", kF32, kInput, kShared, kCsa, [](const C& c) { return Shape{c.index_dim}; }, Init::Constant, one},
  TensorSpec{"csa_inner_compress_state", kF32, kPool, kShared, kCsa, [](const C& c) { return Shape{std::uint64_t{c.batch} * c.c4_pages(), c.c4_page, 4ULL * c.index_dim}; }, Init::CompressorHistory, activation},
  TensorSpec{"csa_inner_compress_state_block_table", kI32, kInput, kShared, kCsa, c4_table, Init::BlockTable, c4_pages, pages_of<c4_pages>},
  // compressed caches
  TensorSpec{"cmp_kv", kBF16, kPool, kPerRank, kCompressed, [](const C& c) { return kv_page_pool(c, c.cmp_max_blocks, c.head_dim); }, Init::UnitRmsRows, nullptr, nullptr, Trait::CompressedPages},
  TensorSpec{"cmp_block_table", kI32, kInput, kShared, kCompressed, [](const C& c) { return Shape{c.batch, c.cmp_max_blocks}; }, Init::BlockTable, cmp_pages, pages_of<cmp_pages>},
  TensorSpec{"idx_kv_cache", kBF16, kPool, kShared, kCsa, [](const C& c) { return kv_page_pool(c, c.idx_max_blocks, c.index_dim); }, Init::UnitRmsRows, nullptr, nullptr, Trait::CompressedPages},
  TensorSpec{"idx_block_table", kI32, kInput, kShared, kCsa, [](const C& c) { return Shape{c.batch, c.idx_max_blocks}; }, Init::BlockTable, idx_pages, pages_of<idx_pages>},
  // mixture of experts
  TensorSpec{"hc_ffn_fn", kF32, kInput, kShared, kAll, mix_matrix, Init::Normal, fan_stack},
  TensorSpec{"hc_ffn_scale", kF32, kInput, kShared, kAll, mix_scale, Init::Constant, half},
  TensorSpec{"hc_ffn_base", kF32, kInput, kShared, kAll, mix_base, Init::Constant, zero},
  TensorSpec{"norm_w", kF32, kInput, kShared, kAll, hidden, Init::Constant, one},
  TensorSpec{"gate_w", kF32, kInput, kShared, kAll, [](const C& c) { return Shape{c.experts, c.hidden}; }, Init::Normal, fan_hidden},
  TensorSpec{"gate_bias", kF32, kInput, kShared, kAll, [](const C& c) { return Shape{c.experts}; }, Init::Constant, zero},
  TensorSpec{"tid2eid", kI32, kInput, kShared, kAll, [](const C& c) { return Shape{c.vocab, c.top_k}; }, Init::TokenToExpert, nullptr, expert_ids, Trait::ModelTable},
  TensorSpec{"input_ids", kI64, kInput, kShared, kAll, per_token, Init::TokenIds, nullptr, token_ids},
  TensorSpec{"routed_w1", kI8, kInput, kPerRank, kAll, expert_up, Init::QuantRows, fan_hidden},
  TensorSpec{"routed_w1_scale", kF32, kInput, kPerRank, kAll, expert_up_scale, Init::QuantScale},
  TensorSpec{"routed_w3", kI8, kInput, kPerRank, kAll, expert_up, Init::QuantRows, fan_hidden},
  TensorSpec{"routed_w3_scale", kF32, kInput, kPerRank, kAll, expert_up_scale, Init::QuantScale},
  TensorSpec{"routed_w2", kI8, kInput, kPerRank, kAll, [](const C& c) { return Shape{c.local_experts, c.hidden, c.moe_inter}; }, Init::QuantRows, fan_inter},
  TensorSpec{"routed_w2_scale", kF32, kInput, kPerRank, kAll, [](const C& c) { return Shape{c.local_experts, c.hidden}; }, Init::QuantScale},
  TensorSpec{"shared_w1", kI8, kInput, kShared, kAll, shared_up, Init::QuantRows, fan_hidden},
  TensorSpec{"shared_w1_scale", kF32, kInput, kShared, kAll, shared_up_scale, Init::QuantScale},
  TensorSpec{"shared_w3", kI8, kInput, kShared, kAll, shared_up, Init::QuantRows, fan_hidden},
  TensorSpec{"shared_w3_scale", kF32, kInput, kShared, kAll, shared_up_scale, Init::QuantScale},
  TensorSpec{"shared_w2", kI8, kInput, kShared, kAll, [](const C& c) { return Shape{c.hidden, c.moe_inter}; }, Init::QuantRows, fan_inter},
  TensorSpec{"shared_w2_scale", kF32, kInput, kShared, kAll, hidden, Init::QuantScale},
  // the model's end
  TensorSpec{"hc_head_fn", kF32, kInput, kShared, kModel, [](const C& c) { return Shape{c.hc_mult, std::uint64_t{c.hc_mult} * c.hidden}; }, Init::Normal, fan_stack},
  TensorSpec{"hc_head_scale", kF32, kInput, kShared, kModel, [](const C&) { return Shape{1}; }, Init::Constant, half},
  TensorSpec{"hc_head_base", kF32, kInput, kShared, kModel, [](const C& c) { return Shape{c.hc_mult}; }, Init::Constant, zero},
  TensorSpec{"x_head", kBF16, kOutput, kPerRank, kModel, token_row, Init::None, nullptr, nullptr, Trait::CollapsedStack},
  // results; the pools above are results too
  TensorSpec{"x_next", kBF16, kOutput, kPerRank, kAll, stack, Init::None, nullptr, nullptr, Trait::StackAfter},
  TensorSpec{"mid.attn.x_mixed", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.attn.post", kF32, kMid, kPerRank, kAll, post},
  TensorSpec{"mid.attn.comb", kF32, kMid, kPerRank, kAll, comb},
  TensorSpec{"mid.attn.x_normed", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.attn.q", kBF16, kMid, kPerRank, kAll, [](const C& c) { return Shape{c.tokens(), c.heads, c.head_dim}; }},
  TensorSpec{"mid.attn.kv", kBF16, kMid, kPerRank, kAll, head_rows},
  TensorSpec{"mid.attn.qr", kI8, kMid, kPerRank, kAll, [](const C& c) { return Shape{c.tokens(), c.q_lora}; }},
  TensorSpec{"mid.attn.qr_scale", kF32, kMid, kPerRank, kAll, token_scalar},
  TensorSpec{"mid.attn.rope_cos", kBF16, kMid, kPerRank, kAll, rope_rows},
  TensorSpec{"mid.attn.rope_sin", kBF16, kMid, kPerRank, kAll, rope_rows},
  TensorSpec{"mid.attn.sparse_indices", kI32, kMid, kPerRank, kAll, index_list},
  TensorSpec{"mid.attn.attention", kBF16, kMid, kPerRank, kAll, [](const C& c) { return Shape{c.tokens(), c.heads, c.head_dim}; }},
  TensorSpec{"mid.attn.attn_out", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.attn.cmp_out", kF32, kMid, kPerRank, kCompressed, [](const C& c) { return Shape{c.batch, c.seq, c.head_dim}; }},
  TensorSpec{"mid.attn.inner_out", kF32, kMid, kPerRank, kCsa, [](const C& c) { return Shape{c.batch, c.seq, c.index_dim}; }},
  TensorSpec{"mid.attn.idx_score", kF32, kMid, kPerRank, kCsa, index_scores},
  TensorSpec{"mid.attn.idx_topk", kI32, kMid, kPerRank, kCsa, index_scores},
  TensorSpec{"mid.x_attn", kBF16, kMid, kPerRank, kAll, stack},
  TensorSpec{"mid.moe.x_mixed", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.moe.post", kF32, kMid, kPerRank, kAll, post},
  TensorSpec{"mid.moe.comb", kF32, kMid, kPerRank, kAll, comb},
  TensorSpec{"mid.moe.x_norm", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.moe.x_norm_i8", kI8, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.moe.x_norm_scale", kF32, kMid, kPerRank, kAll, token_scalar},
  TensorSpec{"mid.moe.indices", kI32, kMid, kPerRank, kAll, routes, Init::None, nullptr, expert_ids},
  TensorSpec{"mid.moe.weights", kF32, kMid, kPerRank, kAll, routes},
  TensorSpec{"mid.moe.sh", kBF16, kMid, kPerRank, kAll, token_row},
  TensorSpec{"mid.moe.recv_x", kI8, kMid, kPerRank, kAll, recv_rows, Init::None, nullptr, nullptr, Trait::ReceivedRows},
  TensorSpec{"mid.moe.recv_scale", kF32, kMid, kPerRank, kAll, recv_values, Init::None, nullptr, nullptr, Trait::ReceivedRows},
  TensorSpec{"mid.moe.recv_w", kF32, kMid, kPerRank, kAll, recv_values, Init::None, nullptr, nullptr, Trait::ReceivedRows},
  TensorSpec{"mid.moe.recv_route", kI32, kMid, kPerRank, kAll, recv_values, Init::None, nullptr, [](const C& c) { return IndexRange{0, c.routes()}; }, Trait::ReceivedRows},
  TensorSpec{"mid.moe.recv_count", kI32, kMid, kPerRank, kAll, [](const C& c) { return Shape{c.local_experts, 1}; }, Init::None, nullptr, [](const C& c) { return IndexRange{0, std::int64_t{c.recv_max} + 1}; }},
  TensorSpec{"mid.moe.recv_y", kBF16, kMid, kPerRank, kAll, recv_rows, Init::None, nullptr, nullptr, Trait::ReceivedRows},
  TensorSpec{"mid.moe.routed_y", kBF16, kMid, kPerRank, kAll, [](const C& c) { return Shape{c.routes(), c.hidden}; }},
  TensorSpec{"mid.moe.ffn_out", kBF16, kMid, kPerRank, kAll, token_row},
};
// clang-format on

}  // namespace

bool TensorSpec::arrives_each_step() const {
  return role == Role::Input && trait != Trait::ModelTable && (trait == Trait::StackBefore || range != nullptr);
}

std::string TensorSpec::input_key() const { return fmt::format("in.{}", name); }

std::string TensorSpec::result_key() const {
  return role == Role::Intermediate ? std::string{name} : fmt::format("out.{}", name);
}

std::span<const TensorSpec> layer_tensors() { return kTensors; }

const TensorSpec* find_tensor(std::string_view name) {
  const auto it = std::find_if(kTensors.begin(), kTensors.end(), [&](const TensorSpec& s) { return s.name == name; });
  return it == kTensors.end() ? nullptr : &*it;
}

const TensorSpec& tensor_with(Trait trait) {
  const auto has_trait = [&](const TensorSpec& s) { return s.trait == trait; };
  NPU_ASSERT(std::count_if(kTensors.begin(), kTensors.end(), has_trait) == 1, "one tensor has the trait");
  return *std::find_if(kTensors.begin(), kTensors.end(), has_trait);
}

const TensorSpec& tensor_spec(std::string_view name) {
  if (const TensorSpec* spec = find_tensor(name)) return *spec;
  std::vector<std::string_view> names;
  for (const TensorSpec& s : kTensors) names.push_back(s.name);
  throw config_error("the layer has no tensor '{}'; nearest is '{}'", name, isa::nearest_name(name, names));
}

}  // namespace npu::orch
