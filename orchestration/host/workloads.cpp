#include "orchestration/host/workloads.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
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
constexpr RatioRelDiff kExperts{0.01, 0.05};
constexpr RatioRelDiff kAttentionHalf{0.01, 0.005, 10.0};
constexpr RatioRelDiff kLayer{0.1, 0.05};

std::vector<Workload> layer_workloads() {
  return {
      {"decode-layer",
       "one decode layer: window attention and experts over all cards",
       {hc_pre_attention, attention_norm, query_latent, new_kv_row, query_heads, window_index_list, sparse_attention,
        output_projection, ring_write_back, hc_post_attention, hc_pre_experts, gate, shared_expert, dispatch,
        routed_experts, combine, hc_post_experts},
       {{"x_next", kLayer}, {"kv_cache", kBf16}},
       true},
      {"attention-swa",
       "the attention half with window attention, hc_pre to hc_post",
       {hc_pre_attention, attention_norm, query_latent, new_kv_row, query_heads, window_index_list, sparse_attention,
        output_projection, ring_write_back, hc_post_attention},
       {{"mid.x_attn", kAttentionHalf}, {"kv_cache", kBf16}, {"mid.attn.sparse_indices", Exact{}}},
       true},
      {"moe-ep",
       "the expert half, hc_pre to hc_post, over all cards",
       {hc_pre_experts, gate, shared_expert, dispatch, routed_experts, combine, hc_post_experts},
       {{"x_next", kExperts}}},
      {"hc-pre",
       "hyper-connection mix in front of the attention",
       {hc_pre_attention},
       {{"mid.attn.x_mixed", kBf16}, {"mid.attn.post", kFp32}, {"mid.attn.comb", kFp32}}},
      {"rmsnorm", "attention norm", {attention_norm}, {{"mid.attn.x_normed", kBf16}}},
      {"qkv",
       "queries and the new KV row; the heads start from the given latent, so that differences do not add up",
       {query_heads, query_latent, new_kv_row},
       {{"mid.attn.q", kBf16}, {"mid.attn.kv", kBf16}, {"mid.attn.qr", OffByOne{}}, {"mid.attn.qr_scale", kFp32}}},
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
      {"shared-expert", "the expert that every token visits", {shared_expert}, {{"mid.moe.sh", kExperts}}},
      {"routed-experts",
       "the card's experts over the rows they received",
       {routed_experts},
       {{"mid.moe.recv_y", kExperts}}},
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

/// Named by the contract; their kernels do not exist.
constexpr std::array<std::string_view, 15> kNotBuilt{
    "attention-hca",   "attention-csa", "compressor4", "compressor128", "indexer", "gemm", "quant-gemm",    "copy",
    "flash-attention", "vector-add",    "nd2nz",       "bank-conflict", "topk",    "tget", "gemm-allreduce"};

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
  if (std::find(kNotBuilt.begin(), kNotBuilt.end(), name) != kNotBuilt.end()) {
    throw config_error("workload '{}' is not built yet; npusim list shows those that are", name);
  }
  throw config_error("unknown workload '{}'; nearest is '{}' (npusim list shows all)", name,
                     isa::nearest_name(name, names));
}

void require_attention_kind(const Workload& workload, const kernels::LayerConfig& config) {
  const AttentionKind kind = attention_kind(config);
  if (!workload.window_only || kind == AttentionKind::Swa) return;
  std::string layers;
  for (std::size_t i = 0; i + 1 < config.compress_ratios.size(); ++i) {  // the last entry is the MTP head's
    if (config.compress_ratios[i] == 0) layers += fmt::format("{}{}", layers.empty() ? "" : ", ", i);
  }
  throw config_error("{}: layer {} uses {} attention, whose compressor is not built yet; {}", workload.name,
                     config.layer_id, name_of(kind),
                     layers.empty() ? "no layer of this preset uses window attention (swa)"
                                    : fmt::format("layers with window attention (swa): --layer-id {}", layers));
}

}  // namespace npu::orch
