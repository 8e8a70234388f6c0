#include "sim_tests/isa/verifier_bench.hpp"

#include <map>
#include <utility>

namespace npu::isa {
namespace {

// a, b, c: f32 [8, 64]; s: per-row column; v: one row; w: [64, 8]; i: index; p: pairs; the others by their use below.
const std::string kTiles =
    ".tile a ub f32 nd 8x64 offset=0 pad=zero\n"
    ".tile b ub f32 nd 8x64 offset=2048\n"
    ".tile c ub f32 nd 8x64 offset=4096\n"
    ".tile s ub f32 dn 8x1 offset=6144\n"
    ".tile v ub f32 nd 1x64 offset=6400\n"
    ".tile w ub f32 nd 64x8 offset=8192\n"
    ".tile i ub i32 nd 8x64 offset=10240\n"
    ".tile p ub f32 nd 8x128 offset=12288\n"
    ".tile h ub f16 nd 8x64 offset=16384\n"
    ".tile e ub f32 nd 8x32 offset=18432\n"
    ".tile q ub i8 nd 8x64 offset=20480\n"
    ".tile d ub f32 dn 8x64 offset=22528\n"
    ".tile ci ub i32 nd 1x64 offset=26624\n"
    ".tile z ub i16 dn 8x1 offset=27648\n"
    ".tile one ub f32 nd 8x1 offset=28672\n"
    ".tile bb ub bf16 nd 8x64 offset=30720\n"
    ".tile odd ub f32 nd 8x48 offset=32768\n"
    ".tile dyn ub f32 nd 8x64 offset=34816 rows_reg=r5 cols_reg=r6\n"
    ".tile l ub i64 nd 8x64 offset=36864\n"
    ".tile sh ub f32 dn 4x1 offset=40960\n"
    ".tile u ub u8 nd 8x64 offset=43008\n"
    ".tile y ub i16 nd 8x64 offset=45056\n"
    ".gm g f32 nd base=r1 pitch=256\n"
    ".gm gd f32 dn base=r1 pitch=256\n"
    ".gm gh f16 nd base=r1 pitch=256\n"
    ".gm gl i64 nd base=r1 pitch=512\n";

}  // namespace

TEST_CASE("Vector instructions of every shape rule are legal on fitting tiles") {
  const Listing listing{kTiles,
                        "  tload a, g\n  tload s, gd\n  tstore g, a\n  tstore.add g, a\n  tstore gd, s\n  tmov b, a\n"
                        "  tadd a, b, c\n  tadd a, a, a\n  tmuls s, s, 2\n  trowsum s, a\n  tcolmax v, a\n"
                        "  trowexpand a, s\n  trowexpandmul a, b, s\n  tcolexpand a, v\n  tcolexpandadd a, b, v\n"
                        "  texpands a, 0.5\n  tfillpad a\n  tci ci, 0\n  ttrans w, a\n  tgather a, b, i\n"
                        "  tgathermask.even e, a\n  tsort32 p, a, i\n  tmrgsort p, p, 32\n  tadd dyn, a, b\n"
                        "  trecip b, a\n  ldtile r2, a, r0, r3\n  sttile r2, a, r0, r3\n  tnotify.add r2, r3\n"
                        "  twait.ge r2, r3\n  ldarg r4, 0\n  set_flag mte2, v, 7\n  wait_flag mte2, v, 7\n"
                        "  pipe_barrier all\n"};
  CHECK(all_findings(assembled(".vector", listing)) == "");
}

TEST_CASE("Every cast of the table is legal and no other") {
  const std::vector<std::pair<std::string, DType>> tiles{{"q", DType::I8},    {"u", DType::U8},  {"y", DType::I16},
                                                         {"i", DType::I32},   {"l", DType::I64}, {"h", DType::F16},
                                                         {"bb", DType::BF16}, {"a", DType::F32}};
  // isa.md section 6, one row per source type.
  const std::map<DType, std::string> legal{{DType::F32, "f16 bf16 f32 i16 i32 i64"},
                                           {DType::F16, "f32 i32 i16 i8 u8"},
                                           {DType::BF16, "f32 i32"},
                                           {DType::I32, "f32 i16 i64 f16"},
                                           {DType::I16, "f16 f32"},
                                           {DType::I8, "f16"},
                                           {DType::U8, "f16"},
                                           {DType::I64, ""}};
  for (const auto& [from, from_type] : tiles) {
    for (const auto& [to, to_type] : tiles) {
      const std::string list = " " + legal.at(from_type) + " ";
      const bool expected = list.find(" " + std::string{name_of(to_type)} + " ") != std::string::npos;
      const std::string code = "  tcvt.rint " + to + ", " + from;
      INFO(code);
      CHECK(all_findings(assembled(".vector", {kTiles, code})).empty() == expected);
    }
  }
}

TEST_CASE("Vector instructions on types that they do not have are refused") {
  check_each(".vector", kTiles,
             {{"", "  tadd h, h, a", "second source is f32; limit: f16"},
              {"", "  tadd a, h, h", "destination is f32; limit: f16"},
              {"", "  tadd bb, bb, bb", "tadd of bf16; limit: i16, i32, f16, f32"},
              {"", "  tdiv i, i, i", "tdiv of i32; limit: f16, f32"},
              {"", "  texp q, q", "texp of i8"},
              {"", "  tcvt.rint q, a",
               "no cast from f32 to i8; limit: f32 to f16, bf16, f32, i16, i32, i64; way out: cast through"},
              {"", "  trowsum z, a", "destination is i16; limit: f32"},
              {"", "  tgather a, b, c", "index tile is f32; limit: i32"},
              {"", "  tsort32 p, a, b", "index tile is f32; limit: i32"},
              {"", "  tsort32 p, i, i", "tsort32 of i32; limit: f32"},
              {"", "  tci v, 0", "tci of f32; limit: i16, i32"},
              {"", "  tload a, gh", "view is f16; limit: f32"},
              {"", "  tstore gh, a", "view is f16; limit: f32"},
              {"", "  tstore.add gl, l", "atomic add of i64"},
              {"", "  tmov a, h", "destination is f32; limit: f16"},
              {"", "  tfillpad b", "tile has no pad value"}});
}

TEST_CASE("Vector instructions on shapes that do not fit are refused") {
  check_each(".vector", kTiles,
             {{"", "  tadd a, b, w", "valid shapes [8, 64] and [64, 8] differ"},
              {"", "  texp a, e", "valid shapes [8, 64] and [8, 32] differ"},
              {"", "  tmov a, e", "valid shapes [8, 64] and [8, 32] differ"},
              {"", "  trowsum sh, a", "reduces [8, 64] to [4, 1]; limit: result is [8, 1]"},
              {"", "  tcolsum v, e", "reduces [8, 32] to [1, 64]; limit: result is [1, 32]"},
              {"", "  trowexpand a, sh", "per-row source is [4, 1]; limit: it is [8, 1]"},
              {"", "  trowexpandsub a, b, sh", "per-row source is [4, 1]"},
              {"", "  trowexpandsub a, e, s", "destination [8, 64] and first source [8, 32] differ"},
              {"", "  tcolexpand e, v", "per-column source is [1, 64]; limit: it is [1, 32]"},
              {"", "  tcolexpandmul e, e, v", "per-column source is [1, 64]"},
              {"", "  ttrans b, a", "transposes [8, 64] to [8, 64]"},
              {"", "  tci i, 0", "destination is [8, 64]; limit: one row"},
              {"", "  tgather e, b, i", "destination [8, 32], source [8, 64], index [8, 64]"},
              {"", "  tgather v, b, ci", "as many rows"},
              {"", "  tgathermask.odd b, a", "one lane in 2"},
              {"", "  tgathermask.lane3 e, a", "one lane in 4"},
              {"", "  tsort32 a, b, i", "destination [rows, 2 * cols]"},
              {".tile oi ub i32 nd 8x48 offset=49152\n.tile op ub f32 nd 8x96 offset=51200\n", "  tsort32 op, odd, oi",
               "sorts rows of 48 columns; limit: a multiple of 32"},
              {"", "  tmrgsort p, p, 16", "merges runs of 16 pairs; limit: a run is a positive multiple of 32 pairs"},
              {"", "  tmrgsort p, p, -32", "merges runs of -32 pairs"},
              {"", "  tmrgsort odd, odd, 32", "merges rows of 48 columns"},
              {".tile tall ub i8 nd 4096x32 offset=49152\n.gm gq i8 nd base=r1 pitch=32\n", "  tload tall, gq",
               "loads 4096 lines; limit: at most 4095 lines to ub"}});
}

TEST_CASE("A row of more sort blocks than the counter holds is refused") {
  CHECK_THAT(
      only_finding(assembled(".vector", {".tile x ub f32 nd 1x8192 offset=0\n.tile i ub i32 nd 1x8192 offset=32768\n"
                                         ".tile p ub f32 nd 1x16384 offset=65536\n",
                                         "  tsort32 p, x, i"})),
      Catch::Matchers::Contains("at most 255 blocks"));
}

TEST_CASE("Vector instructions on layouts that they do not read are refused") {
  check_each(".vector", kTiles,
             {{"", "  tadd a, b, d", "layouts nd and dn are mixed"},
              {"", "  trowsum one, a", "result of a row reduction has layout nd; limit: dn"},
              {"", "  trowsum s, d", "source has layout dn; limit: nd"},
              {"", "  trowexpandmul a, b, one", "per-row source has layout nd; limit: dn"},
              {"", "  trowexpand d, s", "destination has layout dn"},
              {"", "  trowexpandmul a, d, s", "first source has layout dn"},
              {"", "  tcolsum v, d", "tile operand has layout dn"},
              {"", "  tgathermask.even e, d", "tile operand has layout dn"},
              {"", "  tmov a, d", "source has layout dn; limit: nd"},
              {"", "  tload a, gd", "nd tile with dn view"},
              {"", "  tstore gd, a", "nd tile with dn view"},
              {"", "  tload s, g", "dn tile with nd view"},
              {"", "  tload one, g", "loads a single strided column"}});
}

TEST_CASE("A flag from a pipe to itself is refused, at the set and at the wait") {
  const KernelObject object = assembled(".vector", {"", "  set_flag v, v, 0\n  wait_flag v, v, 0"});
  const auto findings = verify(object, a2a3_arch_spec());
  REQUIRE(findings.size() == 2);
  for (const Finding& f : findings) {
    CHECK_THAT(to_string(f),
               Catch::Matchers::Contains("flag from v to itself") && Catch::Matchers::Contains("use pipe_barrier"));
  }
}

TEST_CASE("Cube work, pipes and flags that vector cores do not have are refused") {
  check_each(".vector", kTiles,
             {{"", "  tmatmul a, b, c", "tmatmul in an aiv program; limit: aic cores only"},
              {"", "  textract a, b, r2, r3", "no data path from ub to ub; limit: textract: l1 to l0a, l0b"},
              {"", "  pipe_barrier m", "pipe m; limit: aiv cores do not have it"},
              {"", "  set_flag mte2, v, 8\n  wait_flag mte2, v, r3", "set_flag id 8; limit: 0 to 7"},
              {"", "  mov r0, r1", "writes r0; limit: r0 reads as zero; way out: use r1 to r31"},
              {"", "  trecip a, a", "trecip in place"},
              {"", "  ldarg r2, 1", "reads argument 1; limit: the kernel has 1 arguments"}});
}

}  // namespace npu::isa
