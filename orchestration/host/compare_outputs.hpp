// A workload's outputs on the device against a layer's expectations.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "orchestration/data/compare.hpp"
#include "orchestration/data/layer_case.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::orch {

/// The device's tensor of this name, one per rank.
using ReadRanks = std::function<std::vector<Tensor>(std::string_view)>;

/// One comparison per output that the case expects, two for a pool given by its changed rows.
[[nodiscard]] std::vector<Comparison> compare_outputs(std::span<const OutputRule> outputs, const LayerCase& layer,
                                                      const ReadRanks& actual_of);

}  // namespace npu::orch
