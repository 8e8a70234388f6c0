// Timing mode: scalar registers that hold nothing, because they were loaded from what nobody computed.
#pragma once

#include <cstdint>

#include "isa/program.hpp"
#include "model/core/core_context.hpp"

namespace npu::model {

/// A register without a value may travel through arithmetic and be an operand of a skipped instruction. As soon as it
/// steers anything (a branch, an address, an extent, a flag, a cell, an integer that is stored) the run stops with an
/// error instead of a wrong time.
class RegisterValues {
 public:
  explicit RegisterValues(const CoreContext& core) : core_{core} {}

  void begin_block() { missing_ = 0; }
  /// Before instruction `at` of the program executes. Throws ProgramError where it would be steered.
  void follow(const isa::Program& program, std::uint32_t at) {
    if (missing_ != 0) [[unlikely]]
      follow_missing(program, at);
  }
  [[nodiscard]] bool has_value(std::uint8_t reg) const { return (missing_ >> reg & 1U) == 0; }
  void lose(std::uint8_t reg) {
    if (reg != 0) missing_ |= std::uint32_t{1} << reg;
  }

 private:
  void follow_missing(const isa::Program& program, std::uint32_t at);

  const CoreContext& core_;
  std::uint32_t missing_ = 0;  ///< one bit per register
};

}  // namespace npu::model
