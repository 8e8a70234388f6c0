// The source of operations that interprets an isa::Program.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/operation_source.hpp"
#include "model/core/register_values.hpp"
#include "model/core/scalar_unit.hpp"

namespace npu::model {

/// Registers, program counter and the arithmetic between operations. Not modelled: instruction fetch, register hazards.
class Interpreter final : public OperationSource {
 public:
  Interpreter(const CoreContext& core, ScalarUnit& unit) : core_{core}, unit_{unit}, values_{core} {}

  void begin(const Block& block) override;
  [[nodiscard]] Order order() override;
  bool step() override;
  [[nodiscard]] std::uint32_t instruction() const override { return pc_; }

 private:
  [[nodiscard]] const isa::Operation& resolve();
  [[nodiscard]] bool execute(const isa::Instruction& ins);
  [[nodiscard]] bool synchronise();
  [[nodiscard]] bool communicate(const isa::Instruction& ins);
  [[nodiscard]] bool execute_scalar(const isa::Instruction& ins);
  [[nodiscard]] bool access_memory(const isa::Instruction& ins);
  void access_tile(const isa::Instruction& ins);
  void clean_cache(const isa::Instruction& ins);
  void load_argument(const isa::Instruction& ins);
  void load(const isa::Operation& op, std::int64_t value);
  void set(std::uint8_t reg, std::int64_t value) {
    if (reg != 0) registers_[reg] = value;
  }
  /// The instruction is done after so much time of the scalar unit.
  [[nodiscard]] bool complete(std::uint64_t cycles);
  [[nodiscard]] std::int64_t arithmetic(const isa::Instruction& ins) const;
  [[nodiscard]] std::int64_t special(isa::SpecialReg which) const;

  const CoreContext& core_;
  ScalarUnit& unit_;
  isa::Registers registers_{};
  RegisterValues values_;
  std::uint32_t pc_ = 0;
  isa::Operation operation_;  ///< the instruction at hand, where it was resolved
};

}  // namespace npu::model
