// Plain inputs of a decode layer (decode-layer.md S10).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/layer_case.hpp"

namespace npu::orch {

struct GenerateOptions {
  std::uint64_t seed = 0;
  std::optional<std::uint32_t> start_pos;  ///< position of every request's first token; else the kind's mix of S10
  /// Kind whose mix is meant: layers of one step have the same positions. Empty: the layer's.
  std::optional<kernels::AttentionKind> mix_of = {};
  TensorFilter wanted;   ///< inputs to make; empty: all of the layer's kind
  unsigned threads = 0;  ///< 0: one per processor; the result does not depend on it
};

/// Inputs of every rank, no expected results; the model's own only where `wanted` names them. The same bits for a seed
/// on every host and number of threads. Replicated tensors are held once and shared by the ranks. In paged caches only
/// pages that a token of the step can see are filled, of rope tables the rows that it can reach; the others are zero
/// and occupy no memory.
[[nodiscard]] LayerCase generate_case(const kernels::LayerConfig& config, const GenerateOptions& options = {});

}  // namespace npu::orch
