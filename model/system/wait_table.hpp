// The rows of a deadlock message: who waits, for what, since when.
#pragma once

#include <string>
#include <vector>

#include "model/device.hpp"

namespace npu::model {

/// Aligned columns, one row per line.
[[nodiscard]] std::string format_wait_table(const std::vector<WaitRow>& rows);

}  // namespace npu::model
