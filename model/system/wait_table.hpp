// The table of waits in the message of a run that ends early: who waits, for what, since when.
#pragma once

#include <string>
#include <vector>

#include "model/device.hpp"

namespace npu::model {

/// Aligned columns. Units of a card that wait for the same at the same instruction share a line, with the ranges of
/// their blocks and times. Begins with a line break; empty where nobody waits.
[[nodiscard]] std::string format_wait_table(const std::vector<WaitRow>& rows);

}  // namespace npu::model
