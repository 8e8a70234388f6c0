// Integers that a card computes from floats and that decide how programs go on: what timing mode must be given.
#pragma once

#include <string_view>
#include <vector>

#include "orchestration/data/layer_case.hpp"

namespace npu::orch {

/// Names of such tensors of the layer: the experts of each token where they follow from scores, the compressed rows
/// that the indexer selects.
[[nodiscard]] std::vector<std::string_view> score_dependent_tensors(const kernels::LayerConfig& config);

/// Whether timing mode computes with elements of the type (model/core/execution.cpp).
[[nodiscard]] bool can_steer(isa::DType dtype);

/// Inputs from which given_tensor() makes what a case does not record.
[[nodiscard]] bool is_given_source(std::string_view input);

/// The recorded result, if the case has it. Otherwise experts in turn over all cards, so that loads of experts and of
/// cards differ by one route at most, and the first visible compressed rows.
[[nodiscard]] Tensor given_tensor(const LayerCase& layer, std::string_view name, std::uint32_t rank);

}  // namespace npu::orch
