#include "orchestration/host/workloads.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "orchestration/calibration/workload.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using namespace stages;

// Upstream's tolerances (decode-layer.md S15).
constexpr double kBf16Step = 1.0 / 128;
constexpr RatioAllClose kBf16{1e-4, kBf16Step};
constexpr RatioAllClose kFp32{2.5e-5, 5e-3};
constexpr RatioAllClose kLoose{1e-3, 1e-3};
constexpr AllClose kEveryElement{1e-3, 1e-3};
constexpr RatioRelDiff kExpertRows{0.01, 0.05};
constexpr RatioRelDiff kAttentionHalf{0.01, 0.005, 10.0};
constexpr RatioRelDiff kLayer{0.1, 0.05};
constexpr AllClose kCompressedRow{1e-4, kBf16Step};
constexpr RowAllClose kCompressedCache{1e-4, kBf16Step};

/// The attention half, hc_pre to hc_post, of every kind: stages that a kind lacks add nothing.
constexpr std::array kAttention{hc_pre_attention,  attention_norm,   query_latent,     new_kv_row, query_heads,
                                main_compressor,   inner_compressor, indexer,          index_list, sparse_attention,
                                output_projection, ring_write_back,  hc_post_attention};
constexpr std::array kExperts{hc_pre_experts, gate, shared_expert, dispatch, routed_experts, combine, hc_post_experts};

std::vector<void (*)(StageContext&)> whole_layer() {
  std::vector<void (*)(StageContext&)> stages{kAttention.begin(), kAttention.end()};
  stages.insert(stages.end(), kExperts.begin(), kExperts.end());
  return stages;
}

/// `first`, then what a layer's attention updates in place: the ring by upstream's rule, the pools that upstream does
/// not compare behind a whole attention half by the rule of its other result.
std::vector<OutputRule> with_pools(std::vector<OutputRule> first) {
  first.insert(first.end(), {{"kv_cache", kBf16},
                             {"cmp_kv", kAttentionHalf},
                             {"hca_compress_state", kAttentionHalf},
                             {"csa_compress_state", kAttentionHalf},
                             {"idx_kv_cache", kAttentionHalf},
                             {"csa_inner_compress_state", kAttentionHalf}});
  return first;
}

Workload attention_half(std::string_view name, std::string_view summary, AttentionKind kind) {
  Workload w{name, summary, {kAttention.begin(), kAttention.end()}, with_pools({{"mid.x_attn", kAttentionHalf}}), kind};
  // The indexer's choice may differ in order.
  if (kind != AttentionKind::Csa) w.outputs.push_back({"mid.attn.sparse_indices", Exact{}});
  return w;
}

std::vector<Workload> layer_workloads() {
  return {
      {"decode-layer", "one decode layer of any attention kind: attention, then experts over all cards", whole_layer(),
       with_pools({{"x_next", kLayer}})},
      attention_half("attention-swa", "the attention half of a layer with window attention", AttentionKind::Swa),
      attention_half("attention-hca", "the attention half of a layer that compresses 128 positions to a row",
                     AttentionKind::Hca),
      attention_half("attention-csa", "the attention half of a layer that selects among rows of 4 positions",
                     AttentionKind::Csa),
      {"moe-ep",
       "the expert half, hc_pre to hc_post, over all cards",
       {kExperts.begin(), kExperts.end()},
       {{"x_next", kExpertRows}}},
      {"hc-pre",
       "hyper-connection mix in front of the attention",
       {hc_pre_attention},
       {{"mid.attn.x_mixed", kBf16}, {"mid.attn.post", kFp32}, {"mid.attn.comb", kFp32}}},
      {"rmsnorm", "attention norm", {attention_norm}, {{"mid.attn.x_normed", kBf16}}},
      {"qkv",
       "queries and the new KV row; the heads start from the given latent, so that differences do not add up",
       {query_heads, query_latent, new_kv_row},
       {{"mid.attn.q", kBf16}, {"mid.attn.kv", kBf16}, {"mid.attn.qr", OffByOne{}}, {"mid.attn.qr_scale", kFp32}}},
      {"compressor4",
       "windows of 4 positions to rows of the compressed cache",
       {main_compressor},
       {{"mid.attn.cmp_out", kCompressedRow}, {"csa_compress_state", kEveryElement}, {"cmp_kv", kCompressedCache}},
       AttentionKind::Csa},
      {"compressor128",
       "windows of 128 positions to rows of the compressed cache",
       {main_compressor},
       {{"mid.attn.cmp_out", kCompressedRow}, {"hca_compress_state", kEveryElement}, {"cmp_kv", kCompressedCache}},
       AttentionKind::Hca},
      {"indexer",
       "the indexer's own compressed rows, scores and choice",
       {inner_compressor, indexer},
       {{"mid.attn.inner_out", kCompressedRow},
        {"csa_inner_compress_state", kEveryElement},
        {"idx_kv_cache", kCompressedCache},
        {"mid.attn.idx_score", kBf16},
        {"mid.attn.idx_topk", Exact{}, "mid.attn.idx_score"}},
       AttentionKind::Csa},
      {"sparse-attn", "sparse attention with sink", {sparse_attention}, {{"mid.attn.attention", kBf16}}},
      {"o-proj", "grouped output projection", {output_projection}, {{"mid.attn.attn_out", kBf16}}},
      {"hc-post", "hyper-connection update after the attention", {hc_post_attention}, {{"mid.x_attn", kEveryElement}}},
      {"hc-head", "the stack after the last layer to one row per token", {hc_head}, {{"x_head", kBf16}}},
      {"gate",
       "expert norm, quantisation, logits and routing",
       {gate},
       {{"mid.moe.x_norm", RatioAllClose{1e-3, kBf16Step}},
        {"mid.moe.x_norm_i8", OffByOne{0.001}},
        {"mid.moe.x_norm_scale", kLoose},
        {"mid.moe.indices", Exact{}},
        {"mid.moe.weights", kLoose}}},
      {"shared-expert", "the expert that every token visits", {shared_expert}, {{"mid.moe.sh", kExpertRows}}},
      {"routed-experts",
       "the card's experts over the rows they received",
       {routed_experts},
       {{"mid.moe.recv_y", kExpertRows}}},
      {"dispatch",
       "rows to the cards of their experts",
       {dispatch},
       {{"mid.moe.recv_count", Exact{}},
        {"mid.moe.recv_x", Exact{}},
        {"mid.moe.recv_scale", Exact{}},
        {"mid.moe.recv_w", Exact{}},
        {"mid.moe.recv_route", Exact{}}}},
      {"combine", "expert results back to their tokens", {combine}, {{"mid.moe.ffn_out", kEveryElement}}},
  };
}

std::vector<Workload> make_workloads() {
  std::vector<Workload> all = layer_workloads();
  Workload step = all.front();
  step.name = kStepWorkload;
  step.summary = "layers back to back, each from the result of the one before";
  all.insert(all.begin() + 1, std::move(step));
  return all;
}

/// Named by the contract; its kernel does not exist.
constexpr std::string_view kNotBuilt = "nd2nz";

}  // namespace

std::span<const Workload> workloads() {
  static const std::vector<Workload> kTable = make_workloads();
  return kTable;
}

const Workload& find_workload(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Workload& workload : workloads()) {
    if (workload.name == name) return workload;
    names.push_back(workload.name);
  }
  for (const CalibrationWorkload& workload : calibration_workloads()) names.push_back(workload.name);
  if (name == kNotBuilt) {
    throw config_error("workload '{}' is not built yet; npusim list shows those that are", name);
  }
  throw config_error("unknown workload '{}'; nearest is '{}' (npusim list shows all)", name,
                     isa::nearest_name(name, names));
}

void require_attention_kind(const Workload& workload, const kernels::LayerConfig& config) {
  const AttentionKind kind = attention_kind(config);
  if (!workload.kind || kind == *workload.kind) return;
  constexpr std::size_t kShown = 4;  // and the last
  std::vector<std::uint32_t> fitting;
  kernels::LayerConfig other = config;
  for (other.layer_id = 0; other.layer_id < config.layers; ++other.layer_id) {
    if (attention_kind(other) == *workload.kind) fitting.push_back(other.layer_id);
  }
  std::string layers = fmt::format(
      "{}", fmt::join(fitting.begin(), fitting.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, fitting.size())),
                      ", "));
  if (fitting.size() > kShown)
    layers += fmt::format(", {}{}", fitting.size() > kShown + 1 ? "... " : "", fitting.back());
  throw config_error("{}: layer {} uses {} attention, the workload is of {} layers; {}", workload.name, config.layer_id,
                     name_of(kind), name_of(*workload.kind),
                     layers.empty() ? "this preset has none of them" : fmt::format("--layer-id {}", layers));
}

}  // namespace npu::orch
