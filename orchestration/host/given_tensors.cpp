#include "orchestration/host/given_tensors.hpp"

#include <algorithm>
#include <string>

#include "isa/errors.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kExperts = "mid.moe.indices", kSelected = "mid.attn.idx_topk";
constexpr std::int32_t kIndexerRatio = 4;

Tensor empty_result(const LayerCase& layer, std::string_view name) {
  const TensorSpec& spec = tensor_spec(name);
  return Tensor::zeros(std::string{name}, spec.dtype, spec.shape(layer.config));
}

/// Routes of all ranks, in order of rank, token and place, take the experts in turn: one of every card, then the next
/// of every card. Any top_k in a row differ, and no expert or card gets more than one route above another.
Tensor experts_in_turn(const LayerCase& layer, std::uint32_t rank) {
  const auto& c = layer.config;
  Tensor result = empty_result(layer, kExperts);
  const std::uint64_t first = std::uint64_t{rank} * c.routes();
  const auto experts = result.writable<std::int32_t>();
  for (std::uint64_t i = 0; i < experts.size(); ++i) {
    const std::uint64_t turn = first + i;
    experts[i] = static_cast<std::int32_t>(turn % c.ranks * c.local_experts + turn / c.ranks % c.local_experts);
  }
  return result;
}

/// Codes as in S5: a selected row number plus window and step length, -1 behind the selected ones.
Tensor first_visible_rows(const LayerCase& layer, std::uint32_t rank) {
  const auto& c = layer.config;
  const auto lengths = layer.input("kv_seq_lens", rank).as<std::int32_t>();
  Tensor result = empty_result(layer, kSelected);
  const auto codes = result.writable<std::int32_t>();
  std::ranges::fill(codes, -1);
  const std::size_t width = result.row_length();
  for (std::size_t t = 0; t < c.tokens(); ++t) {
    const auto visible = static_cast<std::size_t>(lengths[t / c.seq] / kIndexerRatio);
    const std::size_t n = std::min({visible, std::size_t{c.index_topk}, width});
    for (std::size_t i = 0; i < n; ++i) codes[t * width + i] = static_cast<std::int32_t>(c.window + c.seq + i);
  }
  return result;
}

}  // namespace

std::vector<std::string_view> score_dependent_tensors(const kernels::LayerConfig& config) {
  std::vector<std::string_view> names;
  if (!config.hash_routing()) names.push_back(kExperts);
  if (attention_kind(config) == kernels::AttentionKind::Csa) names.push_back(kSelected);
  return names;
}

bool can_steer(isa::DType dtype) {
  return dtype == isa::DType::I16 || dtype == isa::DType::I32 || dtype == isa::DType::I64;
}

bool is_given_source(std::string_view input) { return input == "kv_seq_lens"; }

Tensor given_tensor(const LayerCase& layer, std::string_view name, std::uint32_t rank) {
  if (layer.expected.contains(name)) return layer.result(name, rank);
  if (name == kExperts) return experts_in_turn(layer, rank);
  NPU_ASSERT(name == kSelected, "a tensor that follows from scores");
  return first_visible_rows(layer, rank);
}

}  // namespace npu::orch
