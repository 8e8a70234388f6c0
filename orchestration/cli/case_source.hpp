// Where a run's dimensions and tensors come from: flags and presets, or a data file.
#pragma once

#include <string>

#include "orchestration/cli/options.hpp"
#include "orchestration/data/layer_case.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::cli {

/// What the flags decide before any tensor is made.
struct CaseSource {
  kernels::LayerConfig config;
  std::string preset;    ///< for the report
  orch::LayerCase file;  ///< tensors of --data; empty without
  bool from_file = false;
};

/// --ep, else `otherwise`; ConfigError where --device or --start-skew-us name another number of cards.
[[nodiscard]] std::uint32_t card_count(const Options& options, std::uint32_t otherwise);

/// Without --layer-id the layer is 10, or the first of the workload's attention kind where 10 is none of them. Throws
/// ConfigError, also where a flag contradicts the metadata of --data.
[[nodiscard]] CaseSource open_case(const Options& options, const orch::Workload& workload);

}  // namespace npu::cli
