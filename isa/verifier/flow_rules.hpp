// Rules of whole programs: control flow and the pairing of flags.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "isa/program.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

struct FlowFinding {
  std::optional<std::uint32_t> instruction;
  Violation violation;
};

/// Every path ends in halt: no path runs off the end, and some halt is reachable.
[[nodiscard]] std::vector<FlowFinding> check_control_flow(const Program& program);

/// set_flag and wait_flag per (set pipe, wait pipe, id). Reported: a wait without any set of the flag, a set without
/// any wait, and, where each instruction is reached with one fixed number of open sets (straight-line code, balanced
/// loops), a number of sets at halt that differs from the number of waits. Flags whose id comes from a register match
/// every id of their pair and are left to the model.
[[nodiscard]] std::vector<FlowFinding> check_flags(const Program& program);

/// Instructions that may follow `index`; none after halt.
[[nodiscard]] std::vector<std::uint32_t> successors(const Program& program, std::uint32_t index);

}  // namespace npu::isa
