// Arguments: their names, and who may write what they point to.
#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/shown_text.hpp"
#include "isa/text/names.hpp"
#include "sim_tests/isa/verifier_bench.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

/// A vector part with an input `x`, an output `y` and an in-out `z`; r9 holds 1.
KernelObject kernel(const std::string& code) {
  return assemble(
      ".kernel k\n.arg x in f32\n.arg y out f32\n.arg z inout i32\n.vector\n.tile a ub f32 nd 8x8\n"
      ".gm g f32 nd base=r1 pitch=32\n  li r9, 1\n" +
          code + "  halt\n",
      "k.npu");
}

}  // namespace

TEST_CASE("Two arguments of one name are refused by the assembler, and by the verifier in an object") {
  CHECK_THROWS_WITH(assemble(".kernel k\n.arg x in f32\n.arg x out f32\n.vector\n  halt\n", "k.npu"),
                    Contains("k.npu:3:1: parse: argument `x` is declared twice"));
  KernelObject object = kernel("");
  object.args[1].name = "x";
  CHECK_THAT(only_finding(object), Contains("two arguments are called x"));
  CHECK_THROWS_AS(require_legal(decode(encode(object, "a2a3"), "k.npuo"), a2a3_arch_spec()), ProgramError);
  object.cube = Program{};
  object.cube->kind = CoreKind::AIC;
  object.cube->code.resize(1);
  object.cube->code[0].opcode = Opcode::Halt;
  CHECK_THAT(only_finding(object), Contains("two arguments are called x"));
}

TEST_CASE("Every kind of write through a register that holds an input alone is refused") {
  for (const char* write :
       {"  tstore g, a\n", "  tstore.add g, a\n", "  stgm.f32 r9, r1, 0\n", "  tnotify.add r1, r9\n"}) {
    INFO(write);
    CHECK_THAT(only_finding(kernel(std::string{"  ldarg r1, 0\n"} + write)),
               Contains("writes to argument x; limit: a kernel writes its out and inout arguments; way out: declare"));
    CHECK(verify(kernel(std::string{"  ldarg r1, 1\n"} + write), a2a3_arch_spec()).empty());
    CHECK(verify(kernel(std::string{"  ldarg r1, 2\n"} + write), a2a3_arch_spec()).empty());
  }
  // A register with several values is left to the run.
  CHECK(verify(kernel("  ldarg r1, 0\n  ldarg r1, 1\n  tstore g, a\n"), a2a3_arch_spec()).empty());
  CHECK(verify(kernel("  ldarg r1, 0\n  tload a, g\n"), a2a3_arch_spec()).empty());
}

TEST_CASE("Names that no terminal can show or that are too long are refused where they stand") {
  const std::string head = ".kernel ";
  const auto refusal = [](const std::string& text) {
    try {
      static_cast<void>(assemble(text, "k.npu"));
    } catch (const ProgramError& error) {
      return std::string{error.what()};
    }
    return std::string{"accepted"};
  };
  CHECK_THAT(refusal(".kernel \"a\xff\"\n"), Contains("k.npu:1:9: parse: string holds byte 0xff at 1"));
  CHECK_THAT(refusal(".kernel \"\\x1b[31m\"\n"), Contains("k.npu:1:9: parse: string holds byte 0x1b at 0"));
  CHECK_THAT(refusal(".kernel " + std::string(300, 'k') + "\n"),
             Contains("k.npu:1:9: parse: word has 300 bytes; a name has at most 255"));
  CHECK_THAT(refusal(".kernel k\n.arg \"\\x00\" in f32\n"), Contains("k.npu:2:6: parse: string holds byte 0x00 at 0"));
  KernelObject object = kernel("");
  for (std::string* name : {&object.name, &object.args[0].name, &object.vector->name, &object.vector->tile_names[0]}) {
    const std::string before = *name;
    *name = "a\x1b";
    CHECK_THROWS_WITH(decode(encode(object, "a2a3"), "k.npuo"),
                      Contains("k.npuo: offset") && Contains("holds byte 0x1b"));
    *name = std::string(256, 'a');
    CHECK_THROWS_WITH(decode(encode(object, "a2a3"), "k.npuo"), Contains("256 bytes"));
    *name = "\xc3\xa9";
    CHECK(decode(encode(object, "a2a3"), "k.npuo") == object);
    *name = before;
  }
}

TEST_CASE("Text is shown with its control characters and broken bytes escaped, and cut between characters") {
  CHECK(printable("a\tb\n\x1b[0m") == "a\\x09b\n\\x1b[0m");
  CHECK(printable("\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80") == "\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80") == "\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
  CHECK_FALSE(first_unprintable("plain \xc3\xa9"));
  CHECK(first_unprintable("ab\x7f") == 2);
  CHECK(shown("a\nb") == "a\\x0ab");
  std::string accents;
  for (int i = 0; i < 100; ++i) accents += "\xc3\xa9";
  CHECK(shown("x" + accents) == "x" + accents.substr(0, kMostShownBytes - 2) + "...");
}

}  // namespace npu::isa
