#include "isa/shape_rules.hpp"

#include "sim_tests/isa/verifier_bench.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

const std::string kVectorTiles =
    ".tile a ub f32 nd 8x64 offset=0 rows_reg=r2 cols_reg=r3\n.tile b ub f32 nd 8x64 offset=2048\n";

}  // namespace

TEST_CASE("Extents that are unknown pass, and are checked once they are known") {
  const Program program = assembled(".vector", {kVectorTiles, "  texp a, b"}).vector.value();
  const Instruction& ins = program.code[0];
  ValidExtents valid{.t = {Extent{}, Extent{8, 64}}, .bias = {}};
  CHECK_FALSE(check_shapes(ins, program, valid));
  valid.t[0] = {8, 64};
  CHECK_FALSE(check_shapes(ins, program, valid));
  valid.t[0] = {7, 64};
  CHECK_THAT(check_shapes(ins, program, valid).value().what, Contains("[7, 64] and [8, 64] differ"));
}

TEST_CASE("A resolved multiply of nothing is refused") {
  const Program program = assembled(".cube", {".tile l l0a bf16 zz 16x32 rows_reg=r2\n.tile r l0b bf16 zn 32x16\n"
                                              ".tile c l0c f32 nz 16x16 rows_reg=r2\n",
                                              "  tmatmul c, l, r"})
                              .cube.value();
  ValidExtents valid{.t = {Extent{kUnknownExtent, 16}, Extent{kUnknownExtent, 32}, Extent{32, 16}}, .bias = {}};
  CHECK_FALSE(check_shapes(program.code[0], program, valid));
  valid.t[0].rows = valid.t[1].rows = 0;
  CHECK_THAT(check_shapes(program.code[0], program, valid).value().what, Contains("is 0"));
}

TEST_CASE("A sub-tile starts on a fractal boundary and ends inside its source") {
  const Program program = assembled(".cube", {".tile x l1 bf16 nz 64x128\n.tile l l0a bf16 zz 16x32\n"
                                              ".tile r l0b bf16 znt 32x16 pitch=64\n",
                                              "  textract l, x, r2, r3\n  textract.trans r, x, r2, r3"})
                              .cube.value();
  const ArchSpec arch = a2a3_arch_spec();
  const auto origin = [&](std::size_t index, std::int64_t row, std::int64_t col) {
    const Instruction& ins = program.code[index];
    const ValidExtents valid{.t = {index == 0 ? Extent{16, 32} : Extent{32, 16}, Extent{64, 128}}, .bias = {}};
    return check_extract_origin(ins, program, valid, row, col, arch);
  };
  CHECK_FALSE(origin(0, 48, 96));
  CHECK_FALSE(origin(1, 48, 96));  // [k, n] = [32, 16] is read from 16 rows of 32 columns
  CHECK(origin(0, 8, 0).value().stage == Stage::Layout);
  CHECK(origin(0, 0, 8).value().stage == Stage::Layout);
  CHECK(origin(0, -16, 0).value().stage == Stage::Layout);
  CHECK(origin(0, 64, 0).value().stage == Stage::Shape);
  CHECK(origin(0, 0, 112).value().stage == Stage::Shape);
  CHECK(origin(1, 0, 112).value().stage == Stage::Shape);
}

}  // namespace npu::isa
