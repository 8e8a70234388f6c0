#include <catch2/catch.hpp>

#include <boost/crc.hpp>

#include <string>
#include <vector>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

constexpr std::size_t kBody = kObjectChecksumOffset + 4;

KernelObject small_kernel() {
  Program program;
  program.name = "k";
  program.tiles.resize(1);
  program.tile_names = {"t"};
  program.gms.resize(1);
  program.code.resize(2);
  program.code[0].opcode = Opcode::TLoad;
  program.code[0].t0 = program.code[0].t1 = 0;
  program.code[1].opcode = Opcode::Halt;
  KernelObject object;
  object.name = "k";
  object.args = {{"x", ArgKind::In, DType::F32}};
  object.vector = program;
  return object;
}

std::vector<std::byte> resealed(std::vector<std::byte> file) {
  boost::crc_32_type crc;
  crc.process_bytes(file.data() + kBody, file.size() - kBody);
  for (std::size_t i = 0; i < 4; ++i)
    file[kObjectChecksumOffset + i] = static_cast<std::byte>(crc.checksum() >> (8 * i));
  return file;
}

std::string refusal(const std::vector<std::byte>& file) {
  try {
    static_cast<void>(decode(file, "k.npuo"));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

/// Offset of the only place where two files differ.
std::size_t difference(const KernelObject& a, const KernelObject& b) {
  const auto x = encode(a, "a2a3"), y = encode(b, "a2a3");
  REQUIRE(x.size() == y.size());
  for (std::size_t i = kBody; i < x.size(); ++i) {
    if (x[i] != y[i]) return i;
  }
  FAIL("files are equal");
  return 0;
}

}  // namespace

TEST_CASE("An object file names its target profile") {
  CHECK(decode_target(encode(small_kernel(), "a2a3"), "k.npuo") == "a2a3");
}

TEST_CASE("A file that is not a kernel object is refused by its magic") {
  auto file = encode(small_kernel(), "a2a3");
  file[0] = std::byte{'E'};
  CHECK_THROWS_AS(decode(file, "k.npuo"), ConfigError);
  CHECK_THAT(refusal(file), Contains("k.npuo: offset 0") && Contains("magic"));
}

TEST_CASE("An unknown version is refused") {
  auto file = encode(small_kernel(), "a2a3");
  file[4] = std::byte{2};
  CHECK_THAT(refusal(file), Contains("version 2 is unknown") && Contains("reads version 3") &&
                                Contains("assemble the text again") && Contains("--compile-only --out"));
}

TEST_CASE("Blocks, their start and the shapes of arguments survive the file") {
  KernelObject object = small_kernel();
  object.blocks = 24;
  object.sync_start = true;
  object.args[0].rows = 8;
  object.args[0].cols = 64;
  object.args.push_back({"w", ArgKind::Workspace, DType::I32, 24, 128});
  const KernelObject decoded = decode(encode(object, "a2a3"), "k.npuo");
  CHECK(decoded == object);
  CHECK(decoded.args[1].bytes() == 24 * 128 * 4);
}

TEST_CASE("A launch without blocks and an argument of an impossible shape are program errors") {
  const KernelObject good = small_kernel();
  KernelObject other = good;
  const auto patched = [&](std::uint8_t value) {
    const std::size_t at = difference(good, other);
    auto file = encode(good, "a2a3");
    file[at] = static_cast<std::byte>(value);
    file = resealed(file);
    CHECK_THROWS_AS(decode(file, "k.npuo"), ProgramError);
    return refusal(file);
  };
  SECTION("no block") {
    other.blocks = 2;
    CHECK_THAT(patched(0), Contains("a task has at least 1 block"));
  }
  SECTION("an unknown start") {
    other.sync_start = true;
    CHECK_THAT(patched(2), Contains("unknown launch 2"));
  }
  SECTION("a workspace without shape") {
    other.args[0].kind = ArgKind::Out;
    CHECK_THAT(patched(index_of(ArgKind::Workspace)), Contains("a workspace states its rows and columns"));
  }
  SECTION("rows without columns") {
    other.args[0].cols = 1;
    auto file = encode(good, "a2a3");
    file[difference(good, other) - 4] = std::byte{1};
    CHECK_THAT(refusal(resealed(file)), Contains("states rows without columns"));
  }
}

TEST_CASE("A kernel kind without parts is refused") {
  auto file = encode(small_kernel(), "a2a3");
  file[6] = std::byte{0};
  CHECK_THAT(refusal(file), Contains("kernel kind 0"));
}

TEST_CASE("A flipped bit in the content is refused by the checksum") {
  auto file = encode(small_kernel(), "a2a3");
  file.back() ^= std::byte{1};
  CHECK_THAT(refusal(file), Contains("checksum"));
}

TEST_CASE("Bytes after the end are refused") {
  auto file = encode(small_kernel(), "a2a3");
  file.push_back(std::byte{0});
  CHECK_THAT(refusal(file), Contains("states"));
}

TEST_CASE("Unknown opcodes, dtypes and registers are program errors at their offset") {
  const KernelObject good = small_kernel();
  KernelObject other = good;
  const auto patched = [&](std::uint8_t value) {
    const std::size_t at = difference(good, other);
    auto file = encode(good, "a2a3");
    file[at] = static_cast<std::byte>(value);
    file = resealed(file);
    CHECK_THROWS_AS(decode(file, "k.npuo"), ProgramError);
    return refusal(file) + " @" + std::to_string(at);
  };
  SECTION("opcode") {
    other.vector->code[1].opcode = Opcode::Nop;
    CHECK_THAT(patched(static_cast<std::uint8_t>(kOpcodeCount)),
               Contains("unknown opcode " + std::to_string(kOpcodeCount)));
  }
  SECTION("tile dtype") {
    other.vector->tiles[0].dtype = DType::I8;
    CHECK_THAT(patched(200), Contains("unknown dtype 200"));
  }
  SECTION("view register") {
    other.vector->gms[0].base_reg = 1;
    CHECK_THAT(patched(32), Contains("unknown register 32"));
  }
  SECTION("argument kind") {
    other.args[0].kind = ArgKind::Out;
    CHECK_THAT(patched(5), Contains("unknown argument kind 5"));
  }
  SECTION("descriptor index") {
    other.vector->tiles.resize(2);
    other.vector->tile_names.resize(2);
    KernelObject two = other;
    two.vector->code[0].t0 = 1;
    const std::size_t at = difference(other, two);
    auto file = encode(other, "a2a3");
    file[at] = std::byte{2};
    CHECK_THAT(refusal(resealed(file)), Contains("tile descriptor 2") && Contains("the program has 2 tiles"));
  }
}

TEST_CASE("An object that is not structurally sound is not written") {
  KernelObject object = small_kernel();
  SECTION("descriptor index") {
    object.vector->code[0].t0 = 1;
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("tile descriptor 1"));
  }
  SECTION("branch target") {
    object.vector->code[0] = Instruction{};
    object.vector->code[0].opcode = Opcode::Br;
    object.vector->code[0].imm = 2;
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("branch to instruction 2"));
  }
  SECTION("names") {
    object.vector->tile_names.clear();
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("0 tile names"));
  }
  SECTION("source lines") {
    object.vector->source_lines = {1};
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("1 source lines"));
  }
  SECTION("no part") {
    object.vector.reset();
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("neither a cube nor a vector part"));
  }
  SECTION("core kind") {
    object.vector->kind = CoreKind::AIC;
    CHECK_THROWS_WITH(encode(object, "a2a3"), Contains("is for aic cores"));
  }
}

}  // namespace npu::isa
