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

Tensor experts_by_token_id(const LayerCase& layer, std::uint32_t rank) {
  const auto ids = layer.input("input_ids", rank).as<std::int64_t>();
  const auto table = layer.input("tid2eid", rank).as<std::int32_t>();
  const std::size_t top = layer.config.top_k;
  Tensor result = empty_result(layer, kExperts);
  const auto experts = result.writable<std::int32_t>();
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const auto row = table.subspan(static_cast<std::size_t>(ids[t]) * top, top);
    std::copy(row.begin(), row.end(), experts.begin() + static_cast<std::ptrdiff_t>(t * top));
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

bool is_given_source(std::string_view input) {
  return input == "input_ids" || input == "tid2eid" || input == "kv_seq_lens";
}

Tensor given_tensor(const LayerCase& layer, std::string_view name, std::uint32_t rank) {
  if (layer.expected.contains(name)) return layer.result(name, rank);
  if (name == kExperts) return experts_by_token_id(layer, rank);
  NPU_ASSERT(name == kSelected, "a tensor that follows from scores");
  return first_visible_rows(layer, rank);
}

}  // namespace npu::orch
