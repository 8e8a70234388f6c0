// The rows of a deadlock message: who waits, for what, since when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npu::model {

struct WaitRow {
  std::string unit;  ///< track name
  std::string what;
  std::uint64_t since = 0;  ///< cycle
  bool has_since = true;    ///< a core's description states its own times
};

/// Aligned columns, one row per line.
[[nodiscard]] std::string format_wait_table(const std::vector<WaitRow>& rows);

}  // namespace npu::model
