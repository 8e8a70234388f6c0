#include <catch2/catch.hpp>

#include "isa/instructions/instruction_form.hpp"

namespace npu::isa {

using Catch::Matchers::Contains;

TEST_CASE("A mode beyond those of the opcode is not canonical") {
  Instruction ins;
  ins.opcode = Opcode::TCvt;
  ins.t0 = ins.t1 = 0;
  ins.mode = static_cast<std::uint8_t>(kRoundModeNames.size());
  CHECK_THAT(form_error(ins).value_or(""), Contains("mode 7 of tcvt is above 6"));
}

TEST_CASE("An opcode beyond the table is not canonical") {
  Instruction ins;
  ins.opcode = static_cast<Opcode>(kOpcodeCount);
  CHECK_THAT(form_error(ins).value_or(""), Contains("unknown opcode"));
}

TEST_CASE("A value in a field that the opcode does not have is not canonical") {
  Instruction ins;
  ins.opcode = Opcode::Mov;
  SECTION("register") {
    ins.r2 = 1;
    CHECK_THAT(form_error(ins).value_or(""), Contains("register field 2 is set, mov does not have it"));
  }
  SECTION("descriptor") {
    ins.t1 = 0;
    CHECK_THAT(form_error(ins).value_or(""), Contains("descriptor field 1 is set"));
  }
  SECTION("immediate") {
    ins.imm = -1;
    CHECK_THAT(form_error(ins).value_or(""), Contains("immediate is set"));
  }
  SECTION("register number") {
    ins.r1 = 32;
    CHECK_THAT(form_error(ins).value_or(""), Contains("register number 32 is above 31"));
  }
}

TEST_CASE("Pipes are named by number, all of them only in a barrier") {
  Instruction ins;
  ins.opcode = Opcode::PipeBarrier;
  ins.t0 = kNoDescriptor;
  CHECK(form_error(ins) == std::nullopt);
  ins.opcode = Opcode::SetCross;
  CHECK_THAT(form_error(ins).value_or(""), Contains("pipe number"));
}

TEST_CASE("A scalar operand is a register or an immediate, never both") {
  Instruction ins;
  ins.opcode = Opcode::TExpandS;
  ins.t0 = 0;
  ins.r0 = 3;
  CHECK(form_error(ins) == std::nullopt);
  ins.imm = 1;
  CHECK_THAT(form_error(ins).value_or(""), Contains("both register r3 and immediate 1"));
}

}  // namespace npu::isa
