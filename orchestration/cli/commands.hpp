// The commands of npusim; each returns the exit status (fit: 3 where something does not fit) and throws for mistakes.
#pragma once

#include "orchestration/cli/options.hpp"

namespace npu::cli {

int run_experiment(const Options& options);
int list(const Options& options);
int fit(const Options& options);
/// Exit status 1 where a row is beyond its tolerance.
int validate(const Options& options);
int assemble_file(const Options& options);
int disassemble_file(const Options& options);
int show_config(const Options& options);
int diff_configs(const Options& options);

}  // namespace npu::cli
