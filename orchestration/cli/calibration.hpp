// A calibration workload as the command line asks for it.
#pragma once

#include <cstdint>
#include <memory>

#include "orchestration/calibration/workload.hpp"
#include "orchestration/cli/options.hpp"

namespace npu::cli {

struct CalibrationSetup {
  std::unique_ptr<orch::CalibrationCase> calibration;  ///< with the plan of the flags
  std::uint32_t cards = 1;
  model::Machine machine;
};

/// Of a workload that is one; ConfigError for flags that are not its.
[[nodiscard]] CalibrationSetup set_up_calibration(const Options& options);

}  // namespace npu::cli
