// Where a run's dimensions and tensors come from: flags and presets, or a data file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestration/cli/options.hpp"
#include "orchestration/data/layer_case.hpp"
#include "orchestration/data/positions.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::cli {

/// What the flags decide before any tensor is made.
struct CaseSource {
  kernels::LayerConfig config;
  std::optional<std::uint32_t> start_pos;  ///< of --start-pos, else of the preset
  orch::GivenFields given;                 ///< by a preset file
  std::string preset;                      ///< for the report
  orch::LayerCase file;                    ///< tensors of --data; empty without
  bool from_file = false;
};

/// --ep, else `otherwise`; ConfigError where --device or --start-skew-us name another number of cards.
[[nodiscard]] std::uint32_t card_count(const Options& options, std::uint32_t otherwise);

/// Without --layer-id the layer is 10, or the first of the workload's attention kind where 10 is none of them; tables
/// and pools are those that this layer needs. Throws ConfigError, also where a flag contradicts the metadata of --data,
/// and where the layer cannot decode at its position.
[[nodiscard]] CaseSource open_case(const Options& options, const orch::Workload& workload);

}  // namespace npu::cli
