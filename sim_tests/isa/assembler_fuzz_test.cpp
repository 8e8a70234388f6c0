#include <catch2/catch.hpp>

#include <array>
#include <string>

#include "isa/arch_spec.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/isa/random_kernel.hpp"

namespace npu::isa {
namespace {

constexpr std::array<std::string_view, 14> kFragments{
    ",", "=", ":", "\"", "\\x", "0x", "-", "r32", "4294967296", "\n", ".tile ", "//", "x", "99999999999999999999"};

std::size_t position(Random& random, const std::string& text) {
  return static_cast<std::size_t>(uniform(random, 0, static_cast<std::int64_t>(text.size())));
}

void mutate(Random& random, std::string& text) {
  const std::size_t at = position(random, text);
  switch (uniform(random, 0, 3)) {
    case 0:
      text.insert(at, kFragments[static_cast<std::size_t>(uniform(random, 0, kFragments.size() - 1))]);
      break;
    case 1:
      text.erase(at, static_cast<std::size_t>(uniform(random, 1, 8)));
      break;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(uniform(random, -128, 127));
      break;
    default:
      text.insert(at, text.substr(position(random, text), 12));
      break;
  }
}

}  // namespace

TEST_CASE("The assembler survives thousands of damaged texts and only throws ProgramError") {
  Random random{3};
  int refused = 0, accepted = 0;
  for (int base = 0; base < 12; ++base) {
    KernelObject object = random_kernel(random);
    for (auto* part : {&object.cube, &object.vector}) {  // branches first, so that a shorter program keeps its labels
      if (!*part) continue;
      for (Instruction& ins : (*part)->code) {
        if (ins.opcode == Opcode::Br || ins.opcode == Opcode::BrCmp) ins.imm %= 20;
      }
      (*part)->code.resize(20), (*part)->source_lines.clear();
    }
    const std::string good = to_text(object);
    for (int trial = 0; trial < 400; ++trial) {
      std::string text = good;
      const std::int64_t mutations = uniform(random, 1, 3);
      for (std::int64_t i = 0; i < mutations; ++i) mutate(random, text);
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
