// The error vocabulary of the device runtime (runtime.md section 1.6): users search for these names and codes.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "isa/errors.hpp"

namespace npu::model {

struct RuntimeCode {
  std::string_view name;
  int code;
};
inline constexpr RuntimeCode kFlowControlDeadlock{"FLOW_CONTROL_DEADLOCK", 3};
inline constexpr RuntimeCode kDepPoolOverflow{"DEP_POOL_OVERFLOW", 4};
inline constexpr RuntimeCode kInvalidArgs{"INVALID_ARGS", 5};
inline constexpr RuntimeCode kRequireSyncStartInvalid{"REQUIRE_SYNC_START_INVALID", 7};
inline constexpr RuntimeCode kTensorWaitTimeout{"TENSOR_WAIT_TIMEOUT", 8};
inline constexpr RuntimeCode kTensorMapOverflow{"TENSORMAP_OVERFLOW", 11};
inline constexpr RuntimeCode kSchedulerTimeout{"SCHEDULER_TIMEOUT", 100};

/// "INVALID_ARGS (5): <text>"
template <class... Args>
[[nodiscard]] ProgramError runtime_error(const RuntimeCode& code, fmt::format_string<Args...> f, Args&&... args) {
  return ProgramError{fmt::format("{} ({}): {}", code.name, code.code, fmt::format(f, std::forward<Args>(args)...))};
}

}  // namespace npu::model
