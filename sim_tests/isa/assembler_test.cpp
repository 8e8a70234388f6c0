#include "isa/text/assembler.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "isa/errors.hpp"
#include "isa/text/disassembler.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

const std::string kHead =
    ".kernel k\n.vector\n.tile x ub f32 nd 8x64\n.tile n ub i32 nd 8x64 offset=2048\n.gm g f32 nd base=r1\n";

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(assemble(text, "k.npu"));
  } catch (const ProgramError& error) {
    return error.what();
  }
  return "accepted";
}

Instruction first_instruction(const std::string& line) {
  return assemble(kHead + line, "k.npu").vector.value().code.at(0);
}

}  // namespace

TEST_CASE("A listing reads as it was written") {
  const std::string text =
      ".kernel scale blocks=24 start=together\n"
      ".arg x in f32 rows=8 cols=64\n"
      ".arg y out f32 cols=64\n"
      ".arg z out f32\n"
      ".arg w workspace i32 rows=24 cols=128\n"
      "\n"
      ".vector\n"
      ".tile x_tile ub f32 nd 8x64 offset=0 pitch=256\n"
      ".tile y_tile ub f32 nd 8x64 offset=2048 pitch=256 valid=8x60\n"
      ".gm gm0 f32 nd base=r1 pitch=256\n"
      ".gm gm1 f32 nd base=r2 offset=-64 pitch_reg=r3\n"
      "  ldarg r1, 0\n"
      "  li r4, -8\n"
      "L2:\n"
      "  tload x_tile, gm0\n"
      "  set_flag mte2, v, r5+3\n"
      "  wait_flag mte2, v, 3\n"
      "  tmuls y_tile, x_tile, 0.5\n"
      "  tcvt.rint y_tile, x_tile\n"
      "  pipe_barrier all\n"
      "  tstore.add gm1, y_tile\n"
      "  addi r4, r4, 1\n"
      "  brcmp.lt r4, r0, L2\n"
      "  halt\n";
  CHECK(to_text(assemble(text, "scale.npu")) == text);
}

TEST_CASE("A kernel of no block, or of an unknown start, is refused where the text says it") {
  CHECK_THAT(refusal(".kernel k blocks=0\n.vector\n  halt\n"), Contains("k.npu:1:18: parse: 0 is not within 1 to"));
  CHECK_THAT(refusal(".kernel k start=now\n.vector\n  halt\n"),
             Contains("k.npu:1:11: parse: `start=now` is not understood here"));
}

TEST_CASE("Comments, blank lines, carriage returns and labels on the line of an instruction are accepted") {
  const KernelObject object = assemble("// head\r\n.kernel k ; c\r\n\r\n.vector // v\r\nloop: br loop\r\n", "k.npu");
  REQUIRE(object.vector.value().code.size() == 1);
  CHECK(object.vector->code[0].imm == 0);
}

TEST_CASE("Names that are not identifiers are quoted and kept") {
  KernelObject object;
  object.name = "two words";
  object.args = {{"a\"b\\c\xc3\xa9", ArgKind::Scalar, DType::I64}};
  Program program;
  program.name = "";
  program.source_file = "k.npu";
  program.tiles.resize(3);
  program.tile_names = {"same", "same", "9"};
  object.vector = program;
  const std::string text = to_text(object);
  CHECK_THAT(text, Contains(".kernel \"two words\"") && Contains(".tile same_2 ") && Contains("name=\"same\"") &&
                       Contains(".tile t9 ") && Contains("\"a\\x22b\\x5cc\\xc3\\xa9\""));
  CHECK(assemble(text, "k.npu") == object);
}

TEST_CASE("A scalar operand is a float for float tiles, an integer for others, or a bit pattern") {
  CHECK(first_instruction("texpands x, 1").imm == 0x3f800000);
  CHECK(first_instruction("texpands x, +1.5e0").imm == 0x3fc00000);
  CHECK(first_instruction("texpands x, -0").imm == static_cast<std::int32_t>(0x80000000));
  CHECK(first_instruction("texpands x, 0x7fc00001").imm == 0x7fc00001);
  CHECK(first_instruction("texpands n, 1").imm == 1);
  CHECK(first_instruction("texpands n, -0x10").imm == -16);
  CHECK(first_instruction("texpands n, r7").r0 == 7);
}

TEST_CASE("The pitch defaults to whole 32-byte blocks and the valid region to the tile") {
  const TileDesc tile =
      assemble(".kernel k\n.vector\n.tile t ub bf16 nd 4x40\n halt", "k.npu").vector.value().tiles.at(0);
  CHECK(tile.pitch == 96);
  CHECK(tile.valid_rows == 4);
  CHECK(tile.valid_cols == 40);
}

TEST_CASE("Each mistake is reported at its line and column with the stage that refused") {
  struct Case {
    std::string line, expected;
  };
  const std::vector<Case> cases{
      {"tadds x, x, x", "k.npu:6:13: type: expected a float for this tile, found `x`"},
      {"  frobnicate r1", "k.npu:6:3: parse: unknown instruction `frobnicate`"},
      {"tcvt x, x",
       "k.npu:6:1: parse: tcvt takes one of .none, .rint, .round, .floor, .ceil, .trunc, .odd, found `tcvt`"},
      {"tcvt.up x, x", "k.npu:6:1: parse: tcvt takes one of"},
      {"tadd.rint x, x, x", "k.npu:6:1: parse: tadd has no attribute `.rint`"},
      {"tstore. g, x", "k.npu:6:1: parse: tstore takes one of .add"},
      {"tadd x, y, x", "k.npu:6:9: parse: unknown tile `y`"},
      {"tload x, h", "k.npu:6:10: parse: unknown gm view `h`"},
      {"tadd x x, x", "k.npu:6:8: parse: expected `,`, found `x`"},
      {"tadd x, x", "k.npu:6:10: parse: expected `,`, found `end of line`"},
      {"halt r1", "k.npu:6:6: parse: unexpected `r1`"},
      {"mov r32, r1", "k.npu:6:5: parse: 32 is not within 0 to 31"},
      {"mov x, r1", "k.npu:6:5: parse: expected a register r0 to r31, found `x`"},
      {"li r1, 2147483648", "k.npu:6:8: parse: 2147483648 is not within -2147483648 to 2147483647"},
      {"li r1, 12ab", "k.npu:6:8: parse: expected a number, found `12ab`"},
      {"br nowhere", "k.npu:6:4: parse: unknown label `nowhere`"},
      {"set_flag mte9, v, 0", "k.npu:6:10: target: unknown pipe `mte9`; one of s, mte2"},
      {"set_flag all, v, 0", "k.npu:6:10: target: unknown pipe `all`"},
      {"set_flag mte2, v, r3 4", "k.npu:6:22: parse: expected +ID, found `4`"},
      {"texpands x, r0", "k.npu:6:13: parse: r0 as scalar operand; write 0"},
      {"l: l: nop", "k.npu:6:4: parse: label `l` is defined twice"},
      {"9l: nop", "k.npu:6:1: parse: label `9l` is not an identifier"},
      {".tile y gpu f32 nd 8x8", "k.npu:6:9: target: unknown space `gpu`; one of l1"},
      {".tile y ub f64 nd 8x8", "k.npu:6:12: type: unknown dtype `f64`; one of i8"},
      {".tile y ub f32 xy 8x8", "k.npu:6:16: layout: unknown layout `xy`"},
      {".tile y ub f32 nd 8by8", "k.npu:6:19: parse: expected ROWSxCOLS, found `8by8`"},
      {".tile y ub f32 nd 65536x8", "k.npu:6:19: parse: 65536 is not within 0 to 65535"},
      {".tile y ub f32 nd 8x8 colour=red", "k.npu:6:23: parse: `colour=red` is not understood here"},
      {".tile y ub f32 nd 8x8 pitch=32 pitch=64", "k.npu:6:32: parse: `pitch` is given twice"},
      {".tile x ub f32 nd 8x8", "k.npu:6:1: parse: tile `x` is declared twice"},
      {".gm g f32 nd", "k.npu:6:1: parse: view `g` is declared twice"},
      {".vector", "k.npu:6:1: parse: a second .vector part"},
      {".kernel j", "k.npu:6:1: parse: a second .kernel directive"},
      {".org 0", "k.npu:6:1: parse: unknown directive `.org`"},
      {"nop \"open", "k.npu:6:5: parse: string does not end on its line"},
      {".arg y in f32 rows=8", "k.npu:6:1: shape: argument y of 8x0: states rows without columns"},
      {".arg n scalar i64 cols=8", "k.npu:6:1: shape: argument n of 0x8: a scalar has no shape"},
      {".arg w workspace i32", "k.npu:6:1: shape: argument w of 0x0: a workspace states its rows and columns"},
      {".arg y in f32 depth=8", "k.npu:6:15: parse: `depth=8` is not understood here"},
      {".arg \"\\q\" in f32", "k.npu:6:7: parse: escapes in a string are \\xNN"},
      {"nop @", "k.npu:6:5: parse: unexpected byte 0x40"},
  };
  for (const Case& c : cases) {
    INFO(c.line);
    CHECK_THAT(refusal(kHead + c.line + "\n"), Contains(c.expected));
  }
}

TEST_CASE("A text without kernel or parts is refused") {
  CHECK_THAT(refusal(""), Contains("k.npu:1:1: parse: neither a .cube nor a .vector part"));
  CHECK_THAT(refusal(".vector"), Contains("stands before .kernel"));
  CHECK_THAT(refusal(".kernel k\nnop"), Contains("k.npu:2:1: parse: stands before .cube or .vector"));
}

TEST_CASE("A branch to the end of its part is refused where it stands") {
  CHECK_THAT(refusal(kHead + "br out\nhalt\nout:"), Contains("k.npu:6:1: parse: branch to instruction 2"));
}

TEST_CASE("Many mistakes are reported together, up to a limit") {
  const std::string two = refusal(kHead + "foo\nbar\n");
  CHECK_THAT(two, Contains("k.npu:6:1") && Contains("k.npu:7:1"));
  std::string many = kHead;
  for (int i = 0; i < 100; ++i) many += "foo\n";
  const std::string text = refusal(many);
  CHECK_THAT(text, Contains("k.npu:25:1") && Contains("further errors are not shown"));
  CHECK(text.find("k.npu:26:1") == std::string::npos);
}

TEST_CASE("Assembling for a target reports the verifier's findings at the line that caused them") {
  const ArchSpec arch = a2a3_arch_spec();
  CHECK_THROWS_WITH(assemble(kHead + "  tadd x, n, x\n  halt\n", "k.npu", arch),
                    Contains("k.npu:6:3: type: destination is f32; limit: i32"));
  CHECK_THROWS_WITH(assemble(kHead + ".tile y ub f32 nd 46x1024 offset=32\n  halt\n", "k.npu", arch),
                    Contains("k.npu:6:1: target: 188416 bytes at offset 32 leave ub"));
  CHECK_THROWS_WITH(assemble(kHead + ".tile y ub f32 dn 8x1 offset=4096\n  tadd x, x, y\n  halt\n", "k.npu", arch),
                    Contains("k.npu:7:3: layout: layouts nd and dn are mixed"));
  CHECK_THROWS_WITH(assemble(kHead + ".tile y ub f32 nd 4x64 offset=4096\n  tadd x, x, y\n  halt\n", "k.npu", arch),
                    Contains("k.npu:7:3: shape: valid shapes"));
  CHECK(assemble(kHead + "  halt\n", "k.npu", arch).vector.value().code.size() == 1);
}

}  // namespace npu::isa
