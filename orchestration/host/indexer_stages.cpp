#include <fmt/format.h>

#include "kernels/attention/index_list.hpp"
#include "kernels/attention/indexer_query_rope.hpp"
#include "kernels/attention/indexer_score.hpp"
#include "kernels/attention/indexer_topk.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/matmul/widen.hpp"
#include "kernels/moe/quant_rows.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {
namespace {

using isa::DType;
using kernels::AttentionKind;
using kernels::PlanChoice;
using kernels::WeightOrder;

/// Rotated queries of the index heads, turned by the Hadamard matrix and quantised: index_zi, index_zs.
void index_queries(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens(), dim = cfg.index_dim, width = cfg.index_heads * dim;
  const std::uint32_t rows = tokens * cfg.index_heads;
  c.scratch("index_u", DType::F32, {tokens, width});
  c.scratch("index_q", DType::F32, {rows, dim});
  c.scratch("index_hadamard_f32", DType::F32, {dim, dim});
  c.scratch("index_z", DType::F32, {rows, dim});
  c.scratch("index_zi", DType::I8, {rows, dim});
  c.scratch("index_zs", DType::F32, {rows, 1});
  c.task("index_q_matmul",
         [&](const PlanChoice& choice) {
           return kernels::quant_matmul("index_q_matmul", {tokens, width, cfg.q_lora, WeightOrder::KN, DType::F32},
                                        c.arch, choice);
         },
         {{"x", "mid.attn.qr"},
          {"x_scale", "mid.attn.qr_scale"},
          {"w", "csa_idx_wq_b"},
          {"w_scale", "csa_idx_wq_b_scale"},
          {"y", "index_u"}});
  c.task("index_query_rope", [&] { return kernels::indexer_query_rope(cfg, c.arch); },
         {{"u", "index_u"},
          {"position_ids", "position_ids"},
          {"freqs_cos", "freqs_cos"},
          {"freqs_sin", "freqs_sin"},
          {"q", "index_q"}});
  c.task("index_hadamard_widen",
         [&](const PlanChoice& choice) { return kernels::widen("index_hadamard_widen", dim, dim, c.arch, choice); },
         {{"x", "csa_hadamard_idx"}, {"y", "index_hadamard_f32"}});
  c.task(
      "index_hadamard",
      [&](const PlanChoice& choice) {
        return kernels::float_matmul("index_hadamard", {rows, dim, dim, DType::F32, WeightOrder::KN}, c.arch, choice);
      },
      {{"x", "index_q"}, {"w", "index_hadamard_f32"}, {"y", "index_z"}});
  c.task("index_query_quant", [&] { return kernels::quant_rows("index_query_quant", rows, dim, c.arch); },
         {{"x", "index_z"}, {"x_i8", "index_zi"}, {"x_scale", "index_zs"}});
}

}  // namespace

void indexer(StageContext& c) {
  const auto& cfg = c.config;
  if (attention_kind(cfg) != AttentionKind::Csa) return;
  index_queries(c);
  c.scratch("index_weights", DType::F32, {cfg.tokens(), cfg.index_heads});
  c.task("index_weights_matmul",
         [&](const PlanChoice& choice) {
           return kernels::float_matmul("index_weights_matmul",
                                        {cfg.tokens(), cfg.index_heads, cfg.hidden, DType::BF16, WeightOrder::KN},
                                        c.arch, choice);
         },
         {{"x", "mid.attn.x_normed"}, {"w", "csa_weights_proj"}, {"y", "index_weights"}});
  c.task("indexer_score", [&](const PlanChoice& choice) { return kernels::indexer_score(cfg, c.arch, choice); },
         {{"zi", "index_zi"},
          {"zs", "index_zs"},
          {"wt", "index_weights"},
          {"idx_kv_cache", "idx_kv_cache"},
          {"idx_block_table", "idx_block_table"},
          {"kv_seq_lens", "kv_seq_lens"},
          {"score", "mid.attn.idx_score"}});
  c.task("indexer_topk", [&] { return kernels::indexer_topk(cfg, c.arch); },
         {{"score", "mid.attn.idx_score"}, {"kv_seq_lens", "kv_seq_lens"}, {"topk", "mid.attn.idx_topk"}});
}

void index_list(StageContext& c) {
  const AttentionKind kind = attention_kind(c.config);
  Bindings bindings{{"position_ids", "position_ids"}, {"sparse_indices", "mid.attn.sparse_indices"}};
  if (kind != AttentionKind::Swa) bindings.push_back({"kv_seq_lens", "kv_seq_lens"});
  if (kind == AttentionKind::Csa) bindings.push_back({"topk", "mid.attn.idx_topk"});
  c.task(
      fmt::format("index_list_{}", name_of(kind)), [&] { return kernels::index_list(c.config, kind, c.arch); },
      bindings);
}

}  // namespace npu::orch::stages
