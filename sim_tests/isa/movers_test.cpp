// TLOAD, TSTORE, TMOV, TEXTRACT on odd shapes: every element at its place, nothing beside it.
#include "isa/errors.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::TileBuffer;
constexpr DType kTypes[] = {DType::I8,  DType::U8,  DType::I16,  DType::I32,
                            DType::I64, DType::F16, DType::BF16, DType::F32};

// A tile buffer as global memory: the layout DN makes its lines columns.
GmView as_gm(const TileBuffer& t) { return {t.view().data, t.view().pitch, t.view().dtype, t.view().layout}; }

std::size_t unequal(const TileBuffer& a, const TileBuffer& b) {
  std::size_t n = 0;
  for (std::uint32_t r = 0; r < a.view().rows; ++r) {
    for (std::uint32_t c = 0; c < a.view().cols; ++c) n += a.get(r, c) != b.get(r, c);
  }
  return n;
}

void move(Opcode op, const TileBuffer& tile, const GmView& gm, std::uint8_t mode = 0) {
  Operands o;
  o.t[0] = tile.view();
  o.gm = gm;
  execute({.opcode = op, .mode = mode}, o);
}

}  // namespace

TEST_CASE("loads and stores keep every element for all types and orientations", "[movers]") {
  for (const DType type : kTypes) {
    for (const Layout tile_layout : {Layout::ND, Layout::DN}) {
      for (const Layout gm_layout : {Layout::ND, Layout::DN}) {
        for (const std::uint32_t padding : {0U, 5U}) {
          CAPTURE(name_of(type), name_of(tile_layout), name_of(gm_layout), padding);
          TileBuffer gm{19, 37, type, gm_layout, padding}, tile{19, 37, type, tile_layout, padding};
          gm.randomise(1, 1, 100);
          move(Opcode::TLoad, tile, as_gm(gm));
          CHECK(unequal(gm, tile) == 0);
          CHECK(tile.guards_intact());
          TileBuffer back{19, 37, type, gm_layout, padding};
          move(Opcode::TStore, tile, as_gm(back));
          CHECK(unequal(gm, back) == 0);
          CHECK(back.guards_intact());
        }
      }
    }
  }
}

TEST_CASE("a load refuses to convert", "[movers]") {
  TileBuffer gm{2, 2, DType::F32}, tile{2, 2, DType::F16};
  CHECK_THROWS_AS(move(Opcode::TLoad, tile, as_gm(gm)), ProgramError);
}

TEST_CASE("an atomic store adds to what is in global memory", "[movers]") {
  for (const DType type : kTypes) {
    for (const Layout gm_layout : {Layout::ND, Layout::DN}) {
      CAPTURE(name_of(type), name_of(gm_layout));
      TileBuffer gm{5, 7, type, gm_layout}, tile{5, 7, type};
      for (std::uint32_t r = 0; r < 5; ++r) {
        for (std::uint32_t c = 0; c < 7; ++c) gm.set(r, c, r + c), tile.set(r, c, 10 * r);
      }
      move(Opcode::TStore, tile, as_gm(gm), 1);
      std::size_t wrong = 0;
      for (std::uint32_t r = 0; r < 5; ++r) {
        for (std::uint32_t c = 0; c < 7; ++c) wrong += gm.get(r, c) != 11.0 * r + c;
      }
      CHECK(wrong == 0);
      CHECK(gm.guards_intact());
    }
  }
}

TEST_CASE("an accumulator narrows to nearest even on its way out", "[movers]") {
  TileBuffer acc{6, 21, DType::F32};
  acc.randomise(3, -1000, 1000);
  for (const DType type : {DType::BF16, DType::F16}) {
    TileBuffer gm{6, 21, type}, l1{6, 21, type}, expected{6, 21, type};
    for (std::uint32_t r = 0; r < 6; ++r) {
      for (std::uint32_t c = 0; c < 21; ++c) expected.set(r, c, acc.get(r, c));
    }
    move(Opcode::TStore, acc, as_gm(gm));
    test::run({.opcode = Opcode::TMov}, l1.view(), acc.view());
    CHECK(unequal(gm, expected) == 0);
    CHECK(unequal(l1, expected) == 0);
    CHECK(gm.guards_intact());
    move(Opcode::TStore, acc, as_gm(gm), 1);  // the narrowed value is added, in the type of global memory
    std::size_t wrong = 0;
    for (std::uint32_t r = 0; r < 6; ++r) {
      for (std::uint32_t c = 0; c < 21; ++c) wrong += gm.get(r, c) != 2 * expected.get(r, c);
    }
    CHECK(wrong == 0);
  }
  TileBuffer words{6, 21, DType::I32}, byte{6, 21, DType::I8};
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TMov}, byte.view(), words.view()), ProgramError);
}

TEST_CASE("an extract takes the sub-tile at its origin, plain and transposed", "[movers]") {
  for (const DType type : {DType::I8, DType::BF16, DType::F32}) {
    TileBuffer src{40, 50, type};
    for (std::uint32_t r = 0; r < 40; ++r) {
      for (std::uint32_t c = 0; c < 50; ++c) src.set(r, c, (r * 7 + c) % 100);
    }
    Operands o;
    o.row = 5;
    o.col = 11;
    TileBuffer left{16, 32, type, Layout::ZZ}, right{32, 16, type, Layout::ZNt};
    o.t = {left.view(), src.view(), {}};
    execute({.opcode = Opcode::TExtract}, o);
    o.t[0] = right.view();
    execute({.opcode = Opcode::TExtract, .mode = 1}, o);
    std::size_t wrong = 0;
    for (std::uint32_t r = 0; r < 16; ++r) {
      for (std::uint32_t c = 0; c < 32; ++c) {
        wrong += left.get(r, c) != src.get(r + 5, c + 11);
        wrong += right.get(c, r) != src.get(r + 5, c + 11);  // logical [k, n] of the source [n, k]
      }
    }
    CHECK(wrong == 0);
    CHECK(left.guards_intact());
    o.row = 25;
    CHECK_THROWS_AS(execute({.opcode = Opcode::TExtract, .mode = 1}, o), ProgramError);
  }
}

}  // namespace npu::isa
