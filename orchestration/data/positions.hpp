// Where the requests of a step stand, and tables and pools that reach as far.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernels/common/layer_config.hpp"

namespace npu::orch {

/// Layers that run back to back, the last one included.
struct LayerRange {
  std::uint32_t first = 0, last = 0;
};

/// Kind whose mix of start positions the layers of a step share: the one with the most boundaries to straddle.
[[nodiscard]] kernels::AttentionKind mix_of(const kernels::LayerConfig& config, LayerRange layers);

/// Positions of the requests' first tokens [batch]: S10's mix for a kind, the layer's unless said otherwise, repeated,
/// or start_pos everywhere. ConfigError where a position exceeds max_positions or a table of the layer's kind.
[[nodiscard]] std::vector<std::uint32_t> start_positions(const kernels::LayerConfig& config,
                                                         std::optional<std::uint32_t> start_pos,
                                                         std::optional<kernels::AttentionKind> mix_of = {});

/// Names of the fields of LayerConfig that a preset file gives.
using GivenFields = std::set<std::string, std::less<>>;

/// Lengthens the rope table, the tables of pages and the compressed caches to every position of a step of the layers;
/// what is long enough, or given, stays as it is. A state pool whose table grows gets the pages that live instead of
/// one per entry. ConfigError where a given field is too small, the step leaves the rope tables' range, or a layer is
/// invalid: a run that this accepts makes its inputs.
void fit_to_positions(kernels::LayerConfig& config, LayerRange layers, std::optional<std::uint32_t> start_pos,
                      const GivenFields& given = {});

}  // namespace npu::orch
