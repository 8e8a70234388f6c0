// The ways a run can end early, by whose fault it is (exit status in parentheses; see orchestration/cli).
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace npu {

/// The user's file, flag or machine parameter (2).
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The guest program: illegal, does not fit, breaks a rule of the machine (3).
struct ProgramError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The simulation is stuck (4). The text is the table of waits.
struct Deadlock : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The run went on beyond the simulated time that the user allowed (4). The text is the table of waits.
struct TimeLimit : Deadlock {
  using Deadlock::Deadlock;
};
/// A signal asked the run to end (128 + its number).
struct Interrupted : std::runtime_error {
  Interrupted(int number, const std::string& text) : std::runtime_error{text}, signal{number} {}
  int signal;
};

template <class... Args>
[[nodiscard]] ConfigError config_error(fmt::format_string<Args...> f, Args&&... args) {
  return ConfigError{fmt::format(f, std::forward<Args>(args)...)};
}
template <class... Args>
[[nodiscard]] ProgramError program_error(fmt::format_string<Args...> f, Args&&... args) {
  return ProgramError{fmt::format(f, std::forward<Args>(args)...)};
}

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line, const char* message);

}  // namespace npu

/// An invariant of this project's own code; checked in release builds too.
#define NPU_ASSERT(condition, message) \
  ((condition) ? static_cast<void>(0) : ::npu::assertion_failed(#condition, __FILE__, __LINE__, message))
