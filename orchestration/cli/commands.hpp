// The commands of npusim; each returns the exit status (fit: 3 where something does not fit) and throws for mistakes.
#pragma once

#include "orchestration/cli/options.hpp"

namespace npu::cli {

int run_workload(const Options& options);
/// decode-step: layers back to back.
int run_step(const Options& options);
/// A user's program.
int run_program_file(const Options& options);
/// A calibration kernel.
int run_calibration(const Options& options);
/// ConfigError where a flag belongs to the workloads of a layer.
void refuse_layer_flags(const Options& options);
int list(const Options& options);
int fit(const Options& options);
/// Exit status 1 where a row is beyond its tolerance.
int validate(const Options& options);
int assemble_file(const Options& options);
int disassemble_file(const Options& options);
int show_config(const Options& options);

}  // namespace npu::cli
