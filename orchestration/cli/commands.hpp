// The commands of npusim; each returns the exit status 0 or 1 and throws for the others.
#pragma once

#include "orchestration/cli/options.hpp"

namespace npu::cli {

int run_workload(const Options& options);
/// decode-step: layers back to back.
int run_step(const Options& options);
int list();
int fit(const Options& options);
int assemble_file(const Options& options);
int disassemble_file(const Options& options);
int show_config(const Options& options);

}  // namespace npu::cli
