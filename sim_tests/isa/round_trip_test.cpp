#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

#include "isa/encoding/object_file.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "sim_tests/isa/random_kernel.hpp"

namespace npu::isa {
namespace {

KernelObject without_source(KernelObject object) {
  for (auto* part : {&object.cube, &object.vector}) {
    if (*part) (*part)->source_lines.clear(), (*part)->source_file.clear();
  }
  return object;
}

KernelObject kernel_with(const Program& program) {
  KernelObject object;
  object.name = "k";
  (program.kind == CoreKind::AIC ? object.cube : object.vector) = program;
  return object;
}

}  // namespace

TEST_CASE("Every opcode and mode survives binary and text, whatever its fields hold") {
  Random random{20240601};
  for (const OpInfo& info : instruction_table()) {
    for (std::size_t mode = 0; mode < mode_count(info.mode); ++mode) {
      for (int trial = 0; trial < 40; ++trial) {
        Program program;
        program.name = "k";
        program.tiles.resize(3);
        program.tile_names = {"a", "b", "c"};
        program.tiles[1].dtype = DType::I32;
        program.tiles[2].dtype = DType::BF16;
        program.gms.resize(2);
        program.code.push_back(random_instruction(random, info.opcode, static_cast<std::uint8_t>(mode), program, 1));
        const KernelObject object = kernel_with(program);
        INFO(disassemble(program.code[0], program));
        REQUIRE(form_error(program.code[0]) == std::nullopt);
        REQUIRE(decode(encode(object, "a2a3"), "k.npuo") == object);
        REQUIRE(without_source(assemble(to_text(object), "k.npu")) == object);
      }
    }
  }
}

TEST_CASE("Random kernels survive binary unchanged and text but for their source file and lines") {
  Random random{7};
  for (int trial = 0; trial < 60; ++trial) {
    const KernelObject object = random_kernel(random);
    const auto bytes = encode(object, "a2a3");
    REQUIRE(decode(bytes, "k.npuo") == object);
    REQUIRE(encode(decode(bytes, "k.npuo"), "a2a3") == bytes);
    const std::string text = to_text(object);
    const KernelObject assembled = assemble(text, "k.npu");
    REQUIRE(without_source(assembled) == without_source(object));
    REQUIRE(to_text(assembled) == text);
  }
}

TEST_CASE("No two instructions share a mnemonic, with or without mode attribute") {
  std::set<std::string> spellings;
  std::size_t count = 0;
  for (const OpInfo& info : instruction_table()) {
    for (std::size_t mode = 0; mode < mode_count(info.mode); ++mode, ++count) {
      const std::string_view attribute = mode_name(info.mode, static_cast<std::uint8_t>(mode));
      spellings.insert(std::string{info.mnemonic} + (attribute.empty() ? "" : ".") + std::string{attribute});
    }
  }
  CHECK(spellings.size() == count);
}

TEST_CASE("No two different instructions share their encoding or their text") {
  Random random{99};
  Program program = random_program(random, CoreKind::AIV);
  program.source_lines.clear();
  std::set<std::vector<std::byte>> encodings;
  std::set<std::string> texts;
  std::vector<Instruction> distinct;
  for (int trial = 0; trial < 3; ++trial) {
    for (const OpInfo& info : instruction_table()) {
      for (std::size_t mode = 0; mode < mode_count(info.mode); ++mode) {
        Instruction ins = random_instruction(random, info.opcode, static_cast<std::uint8_t>(mode), program, 1);
        bool seen = false;
        for (const Instruction& other : distinct) seen = seen || other == ins;
        if (seen) continue;
        distinct.push_back(ins);
        Program one = program;
        one.code = {ins};
        encodings.insert(encode(kernel_with(one), "a2a3"));
        texts.insert(disassemble(ins, program));
      }
    }
  }
  CHECK(encodings.size() == distinct.size());
  CHECK(texts.size() == distinct.size());
}

TEST_CASE("Assembled programs carry the file and the line numbers of their text") {
  const KernelObject object = assemble(".kernel k\n.vector\n  nop\n\n  halt // end\n", "k.npu");
  CHECK(object.vector.value().source_lines == std::vector<std::uint32_t>{3, 5});
  CHECK(object.vector.value().source_file == "k.npu");
  CHECK(instruction_text(object.vector.value(), 1) == "instruction 1 (k.npu:5) `halt`");
}

}  // namespace npu::isa
