// Where a run's dimensions and tensors come from: flags and presets, or a data file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestration/data/layer_case.hpp"
#include "orchestration/data/positions.hpp"
#include "orchestration/experiment/family.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::orch {

/// What the flags decide before any tensor is made.
struct CaseSource {
  kernels::LayerConfig config;
  std::optional<std::uint32_t> start_pos;  ///< of --start-pos, else of the preset
  GivenFields given;                       ///< by a preset file
  std::string preset;                      ///< for the report
  LayerCase file;                          ///< tensors of --data; empty without
  bool from_file = false;
};

/// Of --preset, --data and the flags that resize them. Without a layer it is 10, or the first of the workload's
/// attention kind where 10 is none of them; tables and pools are those that this layer needs. Throws ConfigError, also
/// where a flag contradicts the metadata of --data, and where the layer cannot decode at its position.
[[nodiscard]] CaseSource open_case(const Request& request, const Workload& workload,
                                   std::optional<std::uint32_t> layer_id);

/// Dimensions and what is chosen for the plans, for the report.
void describe_case(RunReport& report, const CaseSource& source, const PlanChoices& plans);

}  // namespace npu::orch
