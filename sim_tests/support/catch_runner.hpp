// The runner of Catch2 behind a function, so that it is compiled once for every kind of main.
#pragma once

namespace npu::test {

/// Runs the cases that the command line selects; returns the exit status.
[[nodiscard]] int run_cases(int argc, char* argv[]);

}  // namespace npu::test
