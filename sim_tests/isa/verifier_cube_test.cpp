#include "sim_tests/isa/verifier_bench.hpp"

namespace npu::isa {
namespace {

// x [16, 64] times w [64, 32]; wt is w stored as [n, k]; *8 the same in i8.
const std::string kTiles =
    ".tile x l1 bf16 nz 16x64 offset=0\n"
    ".tile w l1 bf16 nz 64x32 offset=4096\n"
    ".tile wt l1 bf16 nz 32x64 offset=8192\n"
    ".tile row l1 f32 nd 1x32 offset=12288\n"
    ".tile fractal_row l1 f32 nz 1x32 offset=12800\n"
    ".tile flat l1 bf16 nd 16x64 offset=16384\n"
    ".tile out l1 bf16 nz 16x32 offset=20480\n"
    ".tile left l0a bf16 zz 16x64\n"
    ".tile right l0b bf16 zn 64x32\n"
    ".tile right_t l0b bf16 znt 64x32 pitch=128 offset=8192\n"
    ".tile acc l0c f32 nz 16x32\n"
    ".tile bias bt f32 nd 1x32\n"
    ".tile left8 l0a i8 zz 16x64 offset=16384\n"
    ".tile right8 l0b i8 zn 64x32 offset=32768\n"
    ".tile acc8 l0c i32 nz 16x32 offset=4096\n"
    ".tile bias8 bt i32 nd 1x32 offset=128\n"
    ".tile narrow bt f32 nd 1x16 offset=256\n"
    ".tile short l0b bf16 zn 32x32 offset=16384\n"
    ".tile empty l0a bf16 zz 16x64 valid=0x64 offset=8192\n"
    ".tile none l0c f32 nz 16x32 valid=0x32 offset=8192\n"
    ".gm g bf16 nd base=r1 pitch=128\n"
    ".gm gt bf16 dn base=r1 pitch=128\n"
    ".gm gf f32 nd base=r1 pitch=128\n"
    ".gm gi i32 nd base=r1 pitch=128\n"
    ".gm g8 i8 nd base=r1 pitch=128\n";

}  // namespace

TEST_CASE("The data paths and multiplies of a cube core are legal") {
  const Listing listing{
      kTiles,
      "  tload x, g\n  tload flat, g\n  tload w, gt\n  tload row, gf\n  tmov left, x\n  tmov right, w\n"
      "  tmov bias, row\n  textract left, x, r2, r3\n  textract.trans right_t, wt, r2, r3\n"
      "  tmatmul acc, left, right\n  tmatmul.acc acc, left, right_t\n  tmatmul.bias acc, left, right, bias\n"
      "  tmatmul acc8, left8, right8\n  tmatmul.bias acc8, left8, right8, bias8\n  tstore gf, acc\n"
      "  tstore g, acc\n  tstore gi, acc8\n  tmov out, acc\n  tstore g, x\n  tstore.add gf, acc\n"
      "  set_flag m, fix, 0\n  wait_flag m, fix, 0\n"};
  CHECK(all_findings(assembled(".cube", listing)) == "");
}

TEST_CASE("Multiplies that break a rule are refused") {
  check_each(".cube", kTiles,
             {{"", "  tmatmul acc8, left, right", "accumulator is i32; limit: f32"},
              {"", "  tmatmul acc, left8, right8", "accumulator is f32; limit: i32"},
              {"", "  tmatmul acc, left, right8", "right operand is i8; limit: bf16"},
              {"", "  tmatmul.bias acc, left, right, bias8", "bias is i32; limit: f32"},
              {"", "  tmatmul.bias acc, left, right, narrow", "bias is [1, 16]; limit: it is [1, 32]"},
              {"", "  tmatmul.bias acc, left, right, row", "bias is in l1; limit: bt"},
              {"", "  tmatmul acc, left, short", "do not multiply; limit: acc [m, n] = left [m, k] x right [k, n]"},
              {"", "  tmatmul none, empty, right", "m, k or n is 0; limit: 1 to 4095"},
              {"", "  tmatmul left, left, right", "accumulator is in l0a; limit: l0c"},
              {"", "  tmatmul acc, x, right", "left operand is in l1; limit: l0a"},
              {"", "  tmatmul acc, left, left", "right operand is in l0a; limit: l0b"}});
}

TEST_CASE("Moves without a data path, or with a wrong type, layout or shape, are refused") {
  check_each(".cube", kTiles,
             {{"", "  tload left, g", "no data path from gm to l0a; limit: tload: gm to l1, ub"},
              {"", "  tstore g, left", "no data path from l0a to gm; limit: tstore: l1 to gm; l0c to gm; ub to gm"},
              {"", "  tmov x, left", "no data path from l0a to l1"},
              {"", "  tmov acc, out", "no data path from l1 to l0c"},
              {"", "  textract out, acc, r2, r3", "no data path from l0c to l1; limit: textract: l1 to l0a, l0b"},
              {"", "  tmov right_t, w", "right operand has layout znt; limit: zn"},
              {"", "  textract.trans right, wt, r2, r3", "right operand has layout zn; limit: znt"},
              {"", "  textract.trans left, x, r2, r3", "transposing load to l0a"},
              {"", "  tmov left, flat", "source of a matrix operand has layout nd; limit: nz"},
              {"", "  tload flat, gt", "nd tile with dn view"},
              {"", "  tstore gt, acc", "nz tile with dn view"},
              {"", "  tmov left8, x", "destination is i8; limit: bf16"},
              {"", "  tstore g8, acc", "accumulator f32 to i8; limit: f16, bf16, f32"},
              {"", "  tstore gf, acc8", "accumulator i32 to f32; limit: i32"},
              {"", "  tmov out, acc8", "accumulator i32 to bf16; limit: i32"},
              {"", "  tmov left, out", "valid shapes [16, 64] and [16, 32] differ"},
              {"", "  textract left, out, r2, r3", "sub-tile [16, 64] is larger than its source [16, 32]"},
              {"", "  textract.trans right_t, w, r2, r3", "sub-tile [32, 64] is larger than its source [64, 32]"},
              {"", "  tmov bias, fractal_row", "source of a bias has layout nz; limit: nd"}});
}

TEST_CASE("A load of more lines than L1 loads have is refused") {
  CHECK_THAT(only_finding(assembled(".cube", {".tile tall l1 i8 nz 16385x16 pitch=16\n.gm g i8 nd base=r1 pitch=16\n",
                                              "  tload tall, g"})),
             Catch::Matchers::Contains("loads 16385 lines; limit: at most 16384 lines to l1"));
}

TEST_CASE("Vector work on a cube core is refused") {
  check_each(".cube", kTiles,
             {{"", "  tadd x, x, x", "tadd in an aic program; limit: aiv cores only"},
              {"", "  ldtile r2, x, r3, r4", "tile operand of ldtile is in l1; limit: ub"},
              {"", "  pipe_barrier v", "pipe v; limit: aic cores do not have it"}});
}

}  // namespace npu::isa
