// The commands and flags of npusim, declared once: parsing, help, completion and manual page read them here.
#pragma once

#include <CLI/CLI.hpp>

#include "orchestration/cli/options.hpp"

namespace npu::cli {

/// Adds the commands and their flags to `app`; parsing fills `options`, which outlives the application.
void declare_commands(CLI::App& app, Options& options);

}  // namespace npu::cli
