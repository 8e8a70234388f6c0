// What an error means for the caller of npusim (cli.md section 1).
#pragma once

#include <exception>
#include <string>

namespace npu::cli {

inline constexpr int kPass = 0, kMismatch = 1, kConfigError = 2, kIllegalProgram = 3, kHang = 4, kFinding = 5;

struct Failure {
  int exit_status = kConfigError;
  std::string status;  ///< of summary.json
  std::string clause;  ///< behind [RUN] FAIL
  std::string text;    ///< what, where, limit, way out
};

/// Errors that follow from a stop signal or a data file that shrank are those, whatever shape they arrive in.
[[nodiscard]] Failure failure_of(const std::exception& error);

}  // namespace npu::cli
