// What npusim says about its own commands and flags: help, completion of shells, manual page, the nearest flag.
#pragma once

#include <string>

#include "orchestration/cli/command_line.hpp"

namespace npu::orch {
struct CalibrationWorkload;
}

namespace npu::cli {

/// Of the application or one of its commands: usage, then flags in their groups with units and defaults.
[[nodiscard]] std::string help_text(const CLI::App& command);
/// Of a calibration kernel: the flags of its plan.
[[nodiscard]] std::string help_text(const orch::CalibrationWorkload& workload);
/// help_text() of every command.
[[nodiscard]] std::string help_of_all(const CLI::App& app);
/// A completion script for bash, zsh or fish.
[[nodiscard]] std::string completion_script(const CLI::App& app, const std::string& shell);
/// npusim(1) in roff.
[[nodiscard]] std::string manual_page(const CLI::App& app);

}  // namespace npu::cli
