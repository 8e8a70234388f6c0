#include "sim_tests/isa/verifier_bench.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

KernelObject vector_code(const std::string& code) { return assembled(".vector", {"", code}); }

std::string only_finding_of(const Program& program) {
  const auto findings = verify(program, a2a3_arch_spec());
  REQUIRE(findings.size() == 1);
  return to_string(findings.front());
}

Program vector_program(std::vector<Instruction> code) {
  Program program;
  program.name = "p";
  program.code = std::move(code);
  return program;
}

Instruction branch(Opcode op, std::int32_t target) {
  Instruction ins;
  ins.opcode = op;
  ins.imm = target;
  return ins;
}

}  // namespace

TEST_CASE("A program must end in halt") {
  Instruction halt;
  halt.opcode = Opcode::Halt;
  CHECK_THAT(only_finding_of(vector_program({})), Contains("program has no instructions"));
  CHECK_THAT(only_finding_of(vector_program({halt, Instruction{}})), Contains("falls off the end"));
  CHECK_THAT(only_finding_of(vector_program({branch(Opcode::BrCmp, 0)})), Contains("falls off the end"));
  CHECK_THAT(only_finding_of(vector_program({branch(Opcode::Br, 0), halt, branch(Opcode::Br, 1)})),
             Contains("no halt can be reached"));
  CHECK(verify(vector_program({branch(Opcode::Br, 2), halt, branch(Opcode::Br, 1)}), a2a3_arch_spec()).empty());
}

TEST_CASE("A branch must stay inside its program") {
  CHECK_THAT(only_finding_of(vector_program({branch(Opcode::Br, 1)})),
             Contains("branch to instruction 1; limit: the program has 1 instructions"));
  CHECK_THAT(only_finding_of(vector_program({branch(Opcode::Br, -1)})), Contains("branch to instruction -1"));
}

TEST_CASE("Registers beyond r31 are refused") {
  Instruction mov;
  mov.opcode = Opcode::Mov;
  mov.r0 = 32;
  CHECK_THAT(only_finding_of(vector_program({mov})), Contains("register number 32 is above 31"));
}

TEST_CASE("A descriptor index beyond the table is refused, and shown in the message") {
  Instruction ins;
  ins.opcode = Opcode::TFillPad;
  ins.t0 = 3;
  CHECK_THAT(only_finding_of(vector_program({ins})),
             Contains("`tfillpad tile#3`: tile descriptor 3; limit: the program has 0 tiles"));
}

TEST_CASE("A flag that is only waited for or only set is refused") {
  CHECK_THAT(only_finding(vector_code("  wait_flag mte2, v, 3")), Contains("flag (mte2, v, 3) waited but never set"));
  CHECK_THAT(only_finding(vector_code("  set_flag mte2, v, 3")), Contains("flag (mte2, v, 3) set but never waited"));
  CHECK_THAT(only_finding(vector_code("  set_flag mte2, v, r3")),
             Contains("with an id in a register set but never waited"));
  CHECK_THAT(only_finding(vector_code("  wait_flag mte2, v, r3+1")),
             Contains("with an id in a register waited but never set"));
}

TEST_CASE("Flags of different pairs or ids are different flags") {
  CHECK(verify(vector_code("  set_flag mte2, v, 3\n  wait_flag mte2, v, 2"), a2a3_arch_spec()).size() == 2);
  CHECK(verify(vector_code("  set_flag mte2, v, 3\n  wait_flag v, mte2, 3"), a2a3_arch_spec()).size() == 2);
}

TEST_CASE("An id in a register may stand for any id of its pair") {
  CHECK(all_findings(vector_code("  set_flag mte2, v, r3\n  wait_flag mte2, v, 2")) == "");
  CHECK(all_findings(vector_code("  set_flag mte2, v, 1\n  wait_flag mte2, v, r3")) == "");
}

TEST_CASE("Straight code must wait as often as it sets") {
  CHECK_THAT(only_finding(vector_code("  set_flag mte2, v, 0\n  wait_flag mte2, v, 0\n  set_flag mte2, v, 0")),
             Contains("flag (mte2, v, 0) is set 1 times more often than waited"));
  CHECK_THAT(only_finding(vector_code("  set_flag mte2, v, 0\n  wait_flag mte2, v, 0\n  wait_flag mte2, v, 0")),
             Contains("flag (mte2, v, 0) is waited 1 times more often than set"));
}

TEST_CASE("A double-buffered loop that drains its flags is legal, one that forgets to drain is not") {
  const std::string loop =
      "  set_flag v, mte2, 0\n  li r2, 4\nloop:\n  wait_flag v, mte2, 0\n  set_flag v, mte2, 0\n  addi r2, r2, -1\n"
      "  brcmp.gt r2, r0, loop\n";
  CHECK(all_findings(vector_code(loop + "  wait_flag v, mte2, 0")) == "");
  CHECK_THAT(only_finding(vector_code(loop)), Contains("is set 1 times more often than waited"));
}

TEST_CASE("Flags whose count depends on the path are left to the model") {
  CHECK(all_findings(vector_code("  brcmp.eq r2, r0, skip\n  set_flag mte2, v, 0\nskip:\n  brcmp.eq r2, r0, end\n"
                                 "  wait_flag mte2, v, 0\nend:")) == "");
}

TEST_CASE("Cross-core flags need a mixed kernel and a counterpart") {
  CHECK_THAT(only_finding(vector_code("  set_cross v, 3")), Contains("cross-core flag in a kernel of one part"));
  const auto mixed = [](const std::string& cube, const std::string& vector) {
    return assemble(".kernel k\n.cube\n" + cube + "\n halt\n.vector\n" + vector + "\n halt\n", "k.npu");
  };
  CHECK(all_findings(mixed("  wait_cross 3", "  set_cross mte3, 3")) == "");
  CHECK(all_findings(mixed("  wait_cross r3", "  set_cross mte3, 3")) == "");
  CHECK_THAT(only_finding(mixed("  wait_cross 3", "")), Contains("cross-core flag 3 waited but never set"));
  CHECK_THAT(only_finding(mixed("", "  set_cross mte3, 3")), Contains("cross-core flag 3 set but never waited"));
  CHECK_THAT(only_finding(mixed("  wait_cross r3", "  set_cross mte3, 16")),
             Contains("set_cross id 16; limit: 0 to 15"));
}

}  // namespace npu::isa
