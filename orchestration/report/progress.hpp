// How far a run is, in words.
#pragma once

#include <cstddef>
#include <string>

#include "model/device.hpp"

namespace npu::orch {

/// "25 % of 40 tasks, 310.2 us simulated, about 7 s left"; the rest is estimated from the tasks done, once there are
/// any.
[[nodiscard]] std::string progress_text(const model::RunProgress& now, std::size_t tasks, double elapsed_s);

}  // namespace npu::orch
