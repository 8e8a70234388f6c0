// Fills, transposes and gathers: every element type, odd shapes, nothing written beside the tile.
#include <limits>

#include "isa/errors.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::float_scalar;
using test::TileBuffer;
constexpr DType kTypes[] = {DType::I8,  DType::U8,  DType::I16,  DType::I32,
                            DType::I64, DType::F16, DType::BF16, DType::F32};

template <class F>
std::size_t wrong_elements(const TileBuffer& dst, F&& f) {
  std::size_t wrong = 0;
  for (std::uint32_t r = 0; r < dst.view().rows; ++r) {
    for (std::uint32_t c = 0; c < dst.view().cols; ++c) wrong += dst.get(r, c) != f(r, c);
  }
  return wrong + !dst.guards_intact();
}

}  // namespace

TEST_CASE("texpands fills the valid region with the scalar in the tile's type", "[vector]") {
  for (const DType type : kTypes) {
    TileBuffer dst{5, 9, type};
    test::run({.opcode = Opcode::TExpandS}, dst.view(), {}, {}, is_float(type) ? float_scalar(1.5F) : 77);
    CHECK(wrong_elements(dst, [&](auto, auto) { return is_float(type) ? 1.5 : 77.0; }) == 0);
  }
}

TEST_CASE("tfillpad fills what is outside the valid region and nothing else", "[vector]") {
  const double lowest[] = {-128,   0,           -32768,         -2147483648.0, -9223372036854775808.0,
                           -65504, -0x1.fep127, -0x1.fffffep127};
  const double largest[] = {127, 255, 32767, 2147483647.0, 9223372036854775807.0, 65504, 0x1.fep127, 0x1.fffffep127};
  for (const DType type : kTypes) {
    for (const Layout layout : {Layout::ND, Layout::DN}) {
      for (const Pad pad : {Pad::None, Pad::Zero, Pad::Min, Pad::Max}) {
        CAPTURE(name_of(type), name_of(layout), name_of(pad));
        TileBuffer tile{8, 16, type, layout}, before{8, 16, type, layout};
        tile.randomise(1, 1, 100);
        before.randomise(1, 1, 100);
        Operands o;
        o.full = tile.view();
        o.t[0] = tile.view();
        o.t[0].rows = 5;
        o.t[0].cols = 9;
        o.pad = pad;
        execute({.opcode = Opcode::TFillPad}, o);
        CHECK(wrong_elements(tile, [&](auto r, auto c) {
                if (pad == Pad::None || (r < 5 && c < 9)) return before.get(r, c);
                return pad == Pad::Zero ? 0.0 : (pad == Pad::Min ? lowest : largest)[index_of(type)];
              }) == 0);
      }
    }
  }
}

TEST_CASE("tci counts up from the scalar", "[vector]") {
  for (const DType type : {DType::I16, DType::I32}) {
    TileBuffer dst{1, 33, type};
    test::run({.opcode = Opcode::TCi}, dst.view(), {}, {}, -5);
    CHECK(wrong_elements(dst, [](auto, auto c) { return static_cast<double>(c) - 5; }) == 0);
  }
}

TEST_CASE("ttrans exchanges rows and columns for every orientation, in place as well", "[vector]") {
  for (const DType type : kTypes) {
    for (const Layout from : {Layout::ND, Layout::DN}) {
      for (const Layout to : {Layout::ND, Layout::DN}) {
        TileBuffer src{19, 35, type, from}, dst{35, 19, type, to};
        src.randomise(1, 1, 100);
        test::run({.opcode = Opcode::TTrans}, dst.view(), src.view());
        CHECK(wrong_elements(dst, [&](auto r, auto c) { return src.get(c, r); }) == 0);
      }
    }
    TileBuffer square{16, 16, type}, before{16, 16, type};
    square.randomise(2, 1, 100);
    before.randomise(2, 1, 100);
    test::run({.opcode = Opcode::TTrans}, square.view(), square.view());
    CHECK(wrong_elements(square, [&](auto r, auto c) { return before.get(c, r); }) == 0);
  }
}

TEST_CASE("tgather takes elements by index and refuses an index outside the row", "[vector]") {
  for (const DType type : {DType::I16, DType::F32, DType::BF16}) {
    TileBuffer src{4, 13, type}, index{4, 21, DType::I32}, dst{4, 21, type};
    src.randomise(1, 1, 100);
    for (std::uint32_t r = 0; r < 4; ++r) {
      for (std::uint32_t c = 0; c < 21; ++c) index.set(r, c, (r * 5 + c * 3) % 13);
    }
    test::run({.opcode = Opcode::TGather}, dst.view(), src.view(), index.view());
    CHECK(wrong_elements(dst, [&](auto r, auto c) { return src.get(r, (r * 5 + c * 3) % 13); }) == 0);
    for (const int bad : {13, -1}) {
      index.set(2, 7, bad);
      CHECK_THROWS_AS(test::run({.opcode = Opcode::TGather}, dst.view(), src.view(), index.view()), ProgramError);
      CHECK_THROWS_WITH(test::run({.opcode = Opcode::TGather}, dst.view(), src.view(), index.view()),
                        Catch::Contains("row 2, column 7"));
    }
  }
}

TEST_CASE("tgathermask keeps the lanes of its pattern", "[vector]") {
  for (std::uint8_t pattern = 0; pattern < 6; ++pattern) {
    const std::uint32_t step = pattern < 2 ? 2 : 4, first = pattern < 2 ? pattern : pattern - 2U;
    TileBuffer src{3, 64, DType::F32}, dst{3, 64 / step, DType::F32};
    src.randomise(1);
    test::run({.opcode = Opcode::TGatherMask, .mode = pattern}, dst.view(), src.view());
    CHECK(wrong_elements(dst, [&](auto r, auto c) { return src.get(r, first + c * step); }) == 0);
  }
  TileBuffer src{1, 8, DType::F32}, dst{1, 8, DType::F32};
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TGatherMask}, dst.view(), src.view()), ProgramError);
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TGatherMask, .mode = 6}, dst.view(), src.view()), ProgramError);
}

}  // namespace npu::isa
