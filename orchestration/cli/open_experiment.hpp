// The experiment that a command line names.
#pragma once

#include <memory>

#include "orchestration/cli/options.hpp"
#include "orchestration/experiment/family.hpp"

namespace npu::cli {

/// With --platform and --set, and where --set does not give them the figures that the workload brings.
[[nodiscard]] model::Machine machine_of(const Options& options);
/// ConfigError for what is wrong with its flags, and where --device or --start-skew-us name another number of cards.
[[nodiscard]] std::unique_ptr<orch::Experiment> open_experiment(const Options& options, const model::Machine& machine);

}  // namespace npu::cli
