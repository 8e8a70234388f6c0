#include <catch2/catch.hpp>

#include <array>
#include <string>

#include "isa/arch_spec.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/isa/random_kernel.hpp"
#include "sim_tests/support/mutator.hpp"

namespace npu::isa {
namespace {

constexpr std::uint32_t kSeed = 3;
constexpr std::array<std::string_view, 22> kFragments{
    ",",          "=",  ":",      "\"", "\\x",   "0x",   "-", "r32",
    "4294967296", "\n", ".tile ", "//", ".arg ", ".gm ", "x", "99999999999999999999",
    "\xff",       ";",  "\\x1b",  "+",  "\0",    "1e999"};

/// Twenty instructions of a random kernel, as text.
std::string short_text(Random& random) {
  KernelObject object = random_kernel(random);
  for (auto* part : {&object.cube, &object.vector}) {  // branches first, so that a shorter program keeps its labels
    if (!*part) continue;
    for (Instruction& ins : (*part)->code) {
      if (ins.opcode == Opcode::Br || ins.opcode == Opcode::BrCmp) ins.imm %= 20;
    }
    (*part)->code.resize(20), (*part)->source_lines.clear();
  }
  return to_text(object);
}

}  // namespace

TEST_CASE("The assembler survives thousands of damaged texts and only throws ProgramError") {
  Random random{kSeed};
  test::Mutator mutator{kSeed, kFragments};
  int refused = 0, accepted = 0;
  for (int base = 0; base < 12; ++base) {
    const std::string good = short_text(random);
    for (int trial = 0; trial < 400; ++trial) {
      const std::string text = mutator.damaged(good);
      INFO("seed " << kSeed << ", input " << base << "/" << trial);
      try {
        const KernelObject read = assemble(text, "fuzz.npu");
        ++accepted;
        require_structure(read);
        static_cast<void>(verify(read, a2a3_arch_spec()));
        const std::string again = to_text(read);
        REQUIRE(to_text(assemble(again, "again.npu")) == again);
      } catch (const ProgramError& error) {
        ++refused;
        REQUIRE(std::string{error.what()}.find("fuzz.npu:") == 0);
      }
    }
  }
  CHECK(refused > 1000);
  CHECK(accepted > 100);
}

TEST_CASE("The verifier accepts any structurally sound kernel as input") {
  Random random{4};
  for (int trial = 0; trial < 20; ++trial) {
    const KernelObject object = random_kernel(random);
    for (const Finding& finding : verify(object, a2a3_arch_spec())) {
      REQUIRE_FALSE(finding.violation.what.empty());
      REQUIRE_FALSE(finding.violation.limit.empty());
      REQUIRE_FALSE(finding.violation.way_out.empty());
    }
  }
}

}  // namespace npu::isa
