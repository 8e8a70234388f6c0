// What each instruction touches, on which pipe: one row per instruction and form.
#include "isa/operation.hpp"

#include <set>

#include "isa/instructions/instruction_table.hpp"
#include "sim_tests/isa/verifier_bench.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

const std::string kVectorTiles = R"(
.tile a ub f32 nd 8x64
.tile b ub f32 nd 8x64 offset=2048
.tile c ub f32 nd 8x64 offset=4096
.tile half ub f16 nd 8x64 offset=6144
.tile col ub f32 dn 8x1 offset=8192
.tile row ub f32 nd 1x64 offset=8448
.tile counting ub i32 nd 1x64 offset=8448
.tile index ub i32 nd 8x64 offset=10240
.tile edge ub f32 nd 8x64 offset=12288 valid=5x48 pad=zero
.tile pairs ub f32 nd 8x128 offset=16384
.tile merged ub f32 nd 8x128 offset=20480
.tile turned ub f32 nd 64x8 offset=24576
.tile even ub f32 nd 8x32 offset=28672
.tile moved ub f32 nd 8x64 offset=2048 offset_reg=r2 rows_reg=r3 cols_reg=r5
.tile none ub f32 nd 8x64 rows_reg=r0 valid=0x64
.gm g f32 nd base=r1 offset=64 pitch=1024
.gm by_register f32 nd base=r1 pitch_reg=r6
.gm columns f32 dn base=r1 pitch=1024
)";

const std::string kCubeTiles = R"(
.tile x l1 bf16 nz 64x128
.tile bias_l1 l1 f32 nd 1x16 offset=16384
.tile out l1 bf16 nz 16x16 offset=20480
.tile xs l1 bf16 nz 16x32 offset=24576
.tile left l0a bf16 zz 16x32
.tile right l0b bf16 zn 32x16
.tile right_t l0b bf16 znt 32x16 offset=1024
.tile acc l0c f32 nz 16x16
.tile bias bt f32 nd 1x16
.gm g bf16 nd base=r1 pitch=512
.gm gt bf16 dn base=r1 pitch=256
)";

constexpr Registers registers() {
  Registers r{};
  r[1] = 65'536;  // an address
  r[2] = 128;
  r[3] = 3;
  r[4] = 5;
  r[5] = 16;
  r[6] = 32;
  return r;
}

/// "w ub 2176 3x64/256": kind, place, begin, lines x bytes / pitch.
std::string text_of(const Access& access) {
  constexpr std::array<std::string_view, 4> kKinds{"r", "w", "rw", "add"};
  return fmt::format("{} {} {} {}x{}/{}", kKinds[index_of(access.kind)], name_of(access.place), access.begin,
                     access.lines, access.line_bytes, access.pitch);
}
std::string text_of(const Operation& op) {
  std::string text{name_of(op.pipe)};
  for (const Access& access : op.touched()) text += "; " + text_of(access);
  return text;
}

struct Row {
  std::string_view code, expected;
};

constexpr Row kVectorRows[] = {
    {"tload a, g", "mte2; w ub 0 8x256/256; r gm 65600 8x256/1024"},
    {"tload moved, g", "mte2; w ub 2176 3x64/256; r gm 65600 3x64/1024"},
    {"tload a, by_register", "mte2; w ub 0 8x256/256; r gm 65536 8x256/32"},
    {"tload col, columns", "mte2; w ub 8192 1x32/32; r gm 65536 1x32/32"},
    {"tload none, g", "mte2; w ub 0 0x256/256; r gm 65600 0x256/256"},
    {"tstore g, b", "mte3; r ub 2048 8x256/256; w gm 65600 8x256/1024"},
    {"tstore.add g, b", "mte3; r ub 2048 8x256/256; add gm 65600 8x256/1024"},
    {"tmov c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tadd c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tsub c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tmul c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tdiv c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tmax c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tmin c, a, b", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256"},
    {"tadds c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tmuls c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tmaxs c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tmins c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tdivs c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tsdiv c, a, 1.0", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"texp c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tlog c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tsqrt c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"trsqrt c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tabs c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"trecip c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tneg c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tcopy c, a", "v; w ub 4096 8x256/256; r ub 0 8x256/256"},
    {"tcopy a, a", "v; w ub 0 8x256/256; r ub 0 8x256/256"},
    {"tcvt.rint half, a", "v; w ub 6144 8x128/128; r ub 0 8x256/256"},
    {"trowsum col, a", "v; w ub 8192 1x32/32; r ub 0 8x256/256"},
    {"trowmax col, a", "v; w ub 8192 1x32/32; r ub 0 8x256/256"},
    {"trowmin col, a", "v; w ub 8192 1x32/32; r ub 0 8x256/256"},
    {"tcolsum row, a", "v; w ub 8448 1x256/256; r ub 0 8x256/256"},
    {"tcolmax row, a", "v; w ub 8448 1x256/256; r ub 0 8x256/256"},
    {"tcolmin row, a", "v; w ub 8448 1x256/256; r ub 0 8x256/256"},
    {"trowexpand c, col", "v; w ub 4096 8x256/256; r ub 8192 1x32/32"},
    {"trowexpandadd c, a, col", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8192 1x32/32"},
    {"trowexpandsub c, a, col", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8192 1x32/32"},
    {"trowexpandmul c, a, col", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8192 1x32/32"},
    {"trowexpanddiv c, a, col", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8192 1x32/32"},
    {"tcolexpand c, row", "v; w ub 4096 8x256/256; r ub 8448 1x256/256"},
    {"tcolexpandadd c, a, row", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8448 1x256/256"},
    {"tcolexpandmul c, a, row", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 8448 1x256/256"},
    {"texpands c, 0.0", "v; w ub 4096 8x256/256"},
    // The valid region stays, so it is read; what is outside of it is written.
    {"tfillpad edge", "v; rw ub 12288 5x192/256; w ub 12288 8x256/256"},
    {"tci counting, 0", "v; w ub 8448 1x256/256"},
    {"ttrans turned, a", "v; w ub 24576 64x32/32; r ub 0 8x256/256"},
    {"tgather c, a, index", "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 10240 8x256/256"},
    {"tgathermask.odd even, a", "v; w ub 28672 8x128/128; r ub 0 8x256/256"},
    {"tsort32 pairs, a, index", "v; w ub 16384 8x512/512; r ub 0 8x256/256; r ub 10240 8x256/256"},
    {"tmrgsort merged, pairs, 32", "v; w ub 20480 8x512/512; r ub 16384 8x512/512"},
    {"ldtile r7, a, r3, r4", "s; r ub 788 1x4/4"},     // 3 * 256 + 5 * 4
    {"sttile r7, col, r3, r0", "s; w ub 8204 1x4/4"},  // 8192 + 3 * 4
    {"ldgm.i64 r7, r1, 8", "s; r gm 65544 1x8/8"},
    {"stgm.i16 r7, r1, -2", "s; w gm 65534 1x2/2"},
    {"tnotify.set r1, r3", "s; w gm 65536 1x4/4"},
    {"tnotify.add r1, r3", "s; add gm 65536 1x4/4"},
    {"twait.ge r1, r3", "s; r gm 65536 1x4/4"},
    {"ttest.ge r7, r1, r3", "s; r gm 65536 1x4/4"},
    {"set_flag mte2, v, 0", "mte2"},
    {"wait_flag mte2, v, 0", "v"},
    {"pipe_barrier v", "v"},
    {"pipe_barrier all", "s"},
    {"set_cross mte3, 0", "mte3"},
    {"wait_cross 0", "s"},
};

constexpr Row kCubeRows[] = {
    {"tload x, g", "mte2; w l1 0 64x256/256; r gm 65536 64x256/512"},
    {"tload x, gt", "mte2; w l1 0 64x256/256; r gm 65536 128x128/256"},  // lines of the view are columns
    {"tstore g, out", "mte3; r l1 20480 16x32/32; w gm 65536 16x32/512"},
    {"tstore g, acc", "fix; r l0c 0 16x64/64; w gm 65536 16x32/512"},  // f32 narrows to bf16
    {"tmov left, xs", "mte1; w l0a 0 16x64/64; r l1 24576 16x64/64"},
    {"tmov bias, bias_l1", "mte1; w bt 0 1x64/64; r l1 16384 1x64/64"},
    {"tmov out, acc", "fix; w l1 20480 16x32/32; r l0c 0 16x64/64"},
    {"textract left, x, r5, r6", "mte1; w l0a 0 16x64/64; r l1 4160 16x64/256"},  // 16 * 256 + 32 * 2
    {"textract.trans right_t, x, r5, r6", "mte1; w l0b 1024 16x64/64; r l1 4160 16x64/256"},
    {"tmatmul acc, left, right", "m; w l0c 0 16x64/64; r l0a 0 16x64/64; r l0b 0 32x32/32"},
    {"tmatmul.acc acc, left, right", "m; rw l0c 0 16x64/64; r l0a 0 16x64/64; r l0b 0 32x32/32"},
    {"tmatmul.bias acc, left, right, bias", "m; w l0c 0 16x64/64; r l0a 0 16x64/64; r l0b 0 32x32/32; r bt 0 1x64/64"},
};

Program program_of(std::string_view part, const std::string& declarations, std::string_view code) {
  KernelObject object = assembled(part, {declarations, "  " + std::string{code}});
  return std::move(part == ".cube" ? object.cube : object.vector).value();
}

/// Resolves the first instruction.
std::optional<Violation> resolve_first(const Program& program, Operation& op,
                                       const std::optional<Registers>& values = registers()) {
  return resolve(program, 0, values ? &*values : nullptr, a2a3_arch_spec(), op);
}

void check_rows(std::string_view part, const std::string& declarations, std::span<const Row> rows,
                std::set<Opcode>& seen) {
  for (const Row& row : rows) {
    INFO(row.code);
    const Program program = program_of(part, declarations, row.code);
    Operation op;
    REQUIRE_FALSE(resolve_first(program, op));
    CHECK(text_of(op) == row.expected);
    CHECK(op.opcode == program.code[0].opcode);
    seen.insert(program.code[0].opcode);
  }
}

}  // namespace

TEST_CASE("Every instruction touches what its row says, on its pipe") {
  std::set<Opcode> seen;
  check_rows(".vector", kVectorTiles, kVectorRows, seen);
  check_rows(".cube", kCubeTiles, kCubeRows, seen);
  const Registers values = registers();
  for (const OpInfo& row : instruction_table()) {
    INFO(row.mnemonic);
    if (seen.contains(row.opcode)) continue;
    // The rest is arithmetic, control flow and the data cache as a whole: no access of its own.
    CHECK(row.op_class == OpClass::Scalar);
    Program program;
    program.code = {{.opcode = row.opcode}};
    Operation op;
    CHECK_FALSE(resolve(program, 0, &values, a2a3_arch_spec(), op));
    CHECK(text_of(op) == "s");
  }
}

TEST_CASE("Flags and scalars come from the immediate, a register, or both") {
  Operation op;
  const Program set = program_of(".vector", kVectorTiles, "set_flag mte2, v, r3+2");
  REQUIRE_FALSE(resolve_first(set, op));
  CHECK(op.flag == 5);
  CHECK(op.flag_from == Pipe::MTE2);
  CHECK(op.flag_to == Pipe::V);
  const Program cross = program_of(".vector", kVectorTiles, "wait_cross 15");
  REQUIRE_FALSE(resolve_first(cross, op));
  CHECK(op.flag == 15);
  const Program constant = program_of(".vector", kVectorTiles, "tadds index, index, -4");
  REQUIRE_FALSE(resolve_first(constant, op));
  CHECK(op.scalar == -4);
  const Program by_register = program_of(".vector", kVectorTiles, "tadds index, index, r2");
  REQUIRE_FALSE(resolve_first(by_register, op));
  CHECK(op.scalar == 128);
}

TEST_CASE("Two accesses overlap where their extents share a byte of one place") {
  const Access a{.begin = 100, .pitch = 100, .lines = 2, .line_bytes = 10};  // [100, 210)
  CHECK(a.extent() == 110);
  const auto at = [](std::uint64_t begin, std::uint32_t bytes, Place place) {
    return Access{.begin = begin, .pitch = 0, .lines = 1, .line_bytes = bytes, .place = place};
  };
  CHECK(overlap(a, at(209, 1, Place::UB)));
  CHECK_FALSE(overlap(a, at(210, 1, Place::UB)));
  CHECK_FALSE(overlap(a, at(50, 50, Place::UB)));
  CHECK_FALSE(overlap(a, at(120, 0, Place::UB)));
  CHECK_FALSE(overlap(a, at(100, 10, Place::Gm)));
}

TEST_CASE("A register that breaks a rule is refused") {
  struct Case {
    std::string_view part, declarations, code, expected;
  };
  const std::vector<Case> cases{
      {".vector", ".tile t ub f32 nd 8x64 rows_reg=r7\n", "texpands t, 0.0",
       "tile t: valid region 9x64; limit: the tile is 8x64"},
      {".vector", ".tile t ub f32 nd 8x64 cols_reg=r8\n", "texpands t, 0.0",
       "tile t: valid region 8x-1; limit: the tile is 8x64"},
      {".vector", ".tile t ub f32 nd 8x64 offset_reg=r7\n", "texpands t, 0.0", "base offset 9 in ub"},
      {".vector", ".tile t ub f32 nd 8x64 offset_reg=r9\n", "texpands t, 0.0", "leave ub"},
      {".vector", ".tile t ub f32 nd 8x64 rows_reg=r3\n.tile u ub f32 nd 8x64 offset=2048\n", "tcopy t, u",
       "[3, 64] and [8, 64] differ"},
      {".vector", "", "set_flag mte2, v, r7", "set_flag id 9; limit: 0 to 7"},
      {".vector", "", "set_flag mte2, v, r8", "set_flag id -1; limit: 0 to 7"},
      {".vector", "", "wait_cross r9", "wait_cross id 192512; limit: 0 to 15"},
      {".vector", ".tile t ub f32 nd 8x64\n.gm g f32 nd base=r1 pitch_reg=r8\n", "tload t, g", "-1 bytes apart"},
      {".vector", ".tile t ub f32 nd 8x64\n", "ldtile r5, t, r7, r0", "element (9, 0) of tile t"},
      {".vector", "", "ldgm.i32 r5, r7, 0", "0x9 is not aligned to 4 bytes"},
      {".vector", "", "twait.eq r7, r0", "0x9 is not aligned to 4 bytes"},
      {".cube", kCubeTiles, "textract left, x, r3, r0", "starts at row 3"},
  };
  Registers values = registers();
  values[7] = 9;
  values[8] = -1;
  values[9] = 188 * 1024;
  for (const Case& c : cases) {
    INFO(c.code);
    const Program program = program_of(c.part, std::string{c.declarations}, c.code);
    Operation op;
    const auto violation = resolve_first(program, op, values);
    REQUIRE(violation);
    CHECK_THAT(violation->what + "; limit: " + violation->limit, Contains(std::string{c.expected}));
    // Without registers nothing is known that could be wrong.
    CHECK_FALSE(resolve_first(program, op, std::nullopt));
  }
}

TEST_CASE("Without registers only what they decide is unknown") {
  Operation op;
  const Program moved = program_of(".vector", kVectorTiles, "tload moved, g");
  REQUIRE_FALSE(resolve_first(moved, op, std::nullopt));
  REQUIRE(op.count == 2);
  CHECK_FALSE(op.accesses[0].known);
  CHECK_FALSE(op.accesses[1].known);
  CHECK(op.accesses[0].kind == AccessKind::Write);
  CHECK(op.accesses[1].place == Place::Gm);
  const Program fixed = program_of(".vector", kVectorTiles, "tadd c, a, b");
  REQUIRE_FALSE(resolve_first(fixed, op, std::nullopt));
  CHECK(text_of(op) == "v; w ub 4096 8x256/256; r ub 0 8x256/256; r ub 2048 8x256/256");
}

}  // namespace npu::isa
