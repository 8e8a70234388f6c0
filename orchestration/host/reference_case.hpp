// Expected results and intermediates that a case does not hold, computed by the built-in reference.
#pragma once

#include "orchestration/data/layer_case.hpp"

namespace npu::orch {

/// Adds every result and intermediate of the layer, with the kernels' roundings (S12, K). The case holds all inputs.
void add_reference_results(LayerCase& layer, unsigned threads);

/// A pool's contents after the layer: whole, or the input with the changed rows. The input where nothing is known.
[[nodiscard]] Tensor pool_after(const LayerCase& layer, std::string_view name, std::uint32_t rank);

/// Intermediates that golden files leave out, each from the intermediates that they hold: mid.attn.attention (the
/// attention's output before its projection), mid.moe.recv_route.
void add_derived_results(LayerCase& layer, unsigned threads);

/// The exchange's table of counts [R*R, EL] (S8.3): row source * R + destination. Needs mid.moe.indices.
[[nodiscard]] Tensor exchange_counts(const LayerCase& layer);

}  // namespace npu::orch
