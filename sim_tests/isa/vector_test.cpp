// Vector instructions against plain loops over elements, on odd shapes, both orientations and every host variant.
#include <cmath>
#include <functional>
#include <limits>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/numerics/host_variant.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::float_scalar;
using test::TileBuffer;
constexpr std::uint32_t kRows = 11, kCols = 37;
constexpr DType kArithmetic[] = {DType::I16, DType::I32, DType::F16, DType::F32};

bool is_integer(DType t) { return t == DType::I16 || t == DType::I32; }

// What a computed value becomes in the tile: fp32 arithmetic, one rounding to fp16; integers wrap.
double stored(double x, DType type) {
  switch (type) {
    case DType::I16:
      return static_cast<std::int16_t>(static_cast<std::int64_t>(x));
    case DType::I32:
      return static_cast<std::int32_t>(static_cast<std::int64_t>(x));
    case DType::F16:
      return static_cast<double>(to_float(to_fp16(static_cast<float>(x))));
    default:
      return static_cast<double>(static_cast<float>(x));
  }
}

using Binary = std::function<double(double, double)>;
struct BinaryCase {
  Opcode tile, scalar;
  Binary f;  ///< in double: one operation, so rounding to fp32 is exact rounding of the operation
  bool integers;
};
const std::vector<BinaryCase>& binary_cases() {
  static const std::vector<BinaryCase> cases{
      {Opcode::TAdd, Opcode::TAddS, [](double a, double b) { return a + b; }, true},
      {Opcode::TMul, Opcode::TMulS, [](double a, double b) { return a * b; }, true},
      {Opcode::TMax, Opcode::TMaxS, [](double a, double b) { return std::max(a, b); }, true},
      {Opcode::TMin, Opcode::TMinS, [](double a, double b) { return std::min(a, b); }, true},
      {Opcode::TDiv, Opcode::TDivS, [](double a, double b) { return a / b; }, false},
      {Opcode::TSub, Opcode::Nop, [](double a, double b) { return a - b; }, true},
      {Opcode::Nop, Opcode::TSDiv, [](double a, double b) { return b / a; }, false},
  };
  return cases;
}

// Elements of dst that differ from f(row, column) after rounding.
template <class F>
std::size_t wrong_elements(const TileBuffer& dst, F&& f) {
  std::size_t wrong = 0;
  for (std::uint32_t r = 0; r < dst.view().rows; ++r) {
    for (std::uint32_t c = 0; c < dst.view().cols; ++c) wrong += dst.get(r, c) != stored(f(r, c), dst.view().dtype);
  }
  return wrong + !dst.guards_intact();
}

template <class F>
void on_every_variant(F&& f) {
  const HostVariant usual = host_variant();
  for (const HostVariant v : {HostVariant::Baseline, HostVariant::Avx2, HostVariant::Avx512}) {
    if (!host_supports(v)) continue;
    CAPTURE(kHostVariantNames[index_of(v)]);
    select_host_variant(v);
    f();
  }
  select_host_variant(usual);
}

// Calls f(type, layout, padding) for the arithmetic types, both orientations, dense and padded lines.
template <class F>
void on_every_shape(F&& f) {
  on_every_variant([&] {
    for (const DType type : kArithmetic) {
      for (const Layout layout : {Layout::ND, Layout::DN}) {
        for (const std::uint32_t padding : {0U, 3U}) {
          CAPTURE(name_of(type), name_of(layout), padding);
          f(type, layout, padding);
        }
      }
    }
  });
}

double range(DType t) { return t == DType::I32 ? 1e9 : (t == DType::I16 ? 32767 : 20); }

}  // namespace

TEST_CASE("elementwise instructions with two operands compute each element once rounded", "[vector]") {
  on_every_shape([](DType type, Layout layout, std::uint32_t padding) {
    TileBuffer dst{kRows, kCols, type, layout, padding}, a{kRows, kCols, type, layout, padding},
        b{kRows, kCols, type, layout, padding};
    a.randomise(1, -range(type), range(type));
    b.randomise(2, -range(type), range(type));
    // An int32 product in double would round: keep the second factor small.
    if (type == DType::I32) b.randomise(2, -4000, 4000);
    for (const BinaryCase& op : binary_cases()) {
      if (is_integer(type) && !op.integers) continue;
      CAPTURE(op_info(op.tile).mnemonic, op_info(op.scalar).mnemonic);
      if (op.tile != Opcode::Nop) {
        test::run({.opcode = op.tile}, dst.view(), a.view(), b.view());
        CHECK(wrong_elements(dst, [&](auto r, auto c) { return op.f(a.get(r, c), b.get(r, c)); }) == 0);
      }
      if (op.scalar != Opcode::Nop) {
        const double s = is_integer(type) ? -7 : 1.375;
        test::run({.opcode = op.scalar}, dst.view(), a.view(), {}, is_integer(type) ? -7 : float_scalar(1.375F));
        CHECK(wrong_elements(dst, [&](auto r, auto c) { return op.f(a.get(r, c), s); }) == 0);
      }
    }
  });
}

TEST_CASE("an instruction in place, or on a shifted copy of its source, reads before it writes", "[vector]") {
  for (const std::int64_t shift : {-1, 0, 1, 4}) {
    TileBuffer memory{6, 40, DType::F32}, b{4, 20, DType::F32}, expected{4, 20, DType::F32};
    memory.randomise(1);
    b.randomise(2);
    TileView src = memory.view();
    src.data += src.pitch + 8 * sizeof(float);
    src.rows = 4;
    src.cols = 20;
    TileView dst = src;
    dst.data += shift * static_cast<std::int64_t>(sizeof(float));
    test::run({.opcode = Opcode::TAdd}, expected.view(), src, b.view());
    test::run({.opcode = Opcode::TAdd}, dst, src, b.view());
    for (std::uint32_t r = 0; r < 4; ++r) {
      for (std::uint32_t c = 0; c < 20; ++c) CHECK(static_cast<double>(dst.at<float>(r, c)) == expected.get(r, c));
    }
  }
}

TEST_CASE("maximum and minimum give the canonical NaN if either operand is NaN", "[vector]") {
  const float nan = std::bit_cast<float>(0xffc54321U), infinity = std::numeric_limits<float>::infinity();
  TileBuffer a{1, 4, DType::F32}, b{1, 4, DType::F32}, dst{1, 4, DType::F32};
  const float left[] = {nan, 1.0F, nan, -0.0F}, right[] = {1.0F, nan, infinity, 0.0F};
  for (std::uint32_t c = 0; c < 4; ++c) a.view().at<float>(0, c) = left[c], b.view().at<float>(0, c) = right[c];
  for (const Opcode op : {Opcode::TMax, Opcode::TMin, Opcode::TAdd, Opcode::TMul}) {
    test::run({.opcode = op}, dst.view(), a.view(), b.view());
    for (std::uint32_t c = 0; c < 3; ++c)
      CHECK(std::bit_cast<std::uint32_t>(dst.view().at<float>(0, c)) == 0x7fc00000U);
  }
  test::run({.opcode = Opcode::TMax}, dst.view(), a.view(), b.view());
  CHECK(std::signbit(dst.view().at<float>(0, 3)));  // of equal operands the first
}

TEST_CASE("unary instructions compute each element once rounded", "[vector]") {
  struct Case {
    Opcode op;
    std::function<double(double)> f;
  };
  const auto in_float = [](auto f) { return [f](double x) { return static_cast<double>(f(static_cast<float>(x))); }; };
  const Case cases[] = {{Opcode::TExp, in_float([](float x) { return exp_f32(x); })},
                        {Opcode::TLog, in_float([](float x) { return log_f32(x); })},
                        {Opcode::TSqrt, [](double x) { return std::sqrt(x); }},
                        {Opcode::TRsqrt, in_float([](float x) { return rsqrt_f32(x); })},
                        {Opcode::TRecip, [](double x) { return 1 / x; }},
                        {Opcode::TAbs, [](double x) { return std::abs(x); }},
                        {Opcode::TNeg, [](double x) { return -x; }},
                        {Opcode::TCopy, [](double x) { return x; }}};
  on_every_shape([&](DType type, Layout layout, std::uint32_t padding) {
    for (const auto& [op, f] : cases) {
      if (is_integer(type) && op != Opcode::TNeg && op != Opcode::TCopy) continue;
      CAPTURE(op_info(op).mnemonic);
      TileBuffer dst{kRows, kCols, type, layout, padding}, a{kRows, kCols, type, layout, padding};
      const bool positive = op == Opcode::TLog || op == Opcode::TSqrt || op == Opcode::TRsqrt;
      a.randomise(3, positive ? 0.01 : -range(type), std::min(range(type), 1000.0));
      test::run({.opcode = op}, dst.view(), a.view());
      CHECK(wrong_elements(dst, [&](auto r, auto c) { return f(a.get(r, c)); }) == 0);
    }
  });
  TileBuffer wide{1, 700, DType::F16, Layout::ND, 0}, out{1, 700, DType::F16, Layout::ND, 0};
  wide.randomise(4);
  test::run({.opcode = Opcode::TExp}, out.view(), wide.view());
  CHECK(wrong_elements(out, [&](auto r, auto c) { return cases[0].f(wide.get(r, c)); }) == 0);
}

TEST_CASE("row sums follow the documented order of 16 partial sums and a tree", "[vector]") {
  on_every_shape([](DType type, Layout layout, std::uint32_t padding) {
    for (const std::uint32_t cols : {1U, 5U, 16U, 17U, 37U, 300U}) {
      TileBuffer src{kRows, cols, type, layout, padding}, dst{kRows, 1, type, Layout::DN};
      src.randomise(1, -range(type), range(type));
      test::run({.opcode = Opcode::TRowSum}, dst.view(), src.view());
      CHECK(wrong_elements(dst, [&](auto r, auto) {
              double p[16] = {};
              const auto add = [type](double a, double b) {
                return is_integer(type) ? a + b : static_cast<double>(static_cast<float>(a + b));
              };
              for (std::uint32_t c = 0; c < cols; ++c) p[c % 16] = add(p[c % 16], src.get(r, c));
              for (int half = 8; half > 0; half /= 2) {
                for (int i = 0; i < half; ++i) p[i] = add(p[i], p[i + half]);
              }
              return p[0];
            }) == 0);
    }
  });
}

TEST_CASE("row and column extremes and column sums combine all elements in order", "[vector]") {
  const Binary larger = [](double a, double b) { return std::max(a, b); };
  const Binary smaller = [](double a, double b) { return std::min(a, b); };
  on_every_shape([&](DType type, Layout layout, std::uint32_t padding) {
    for (const std::uint32_t cols : {1U, 37U, 300U}) {
      TileBuffer src{kRows, cols, type, layout, padding}, column{kRows, 1, type, Layout::DN}, row{1, cols, type};
      src.randomise(1, -range(type), range(type));
      for (const auto& [op, f] : {std::pair{Opcode::TRowMax, larger}, std::pair{Opcode::TRowMin, smaller}}) {
        test::run({.opcode = op}, column.view(), src.view());
        CHECK(wrong_elements(column, [&, g = f](auto r, auto) {
                double x = src.get(r, 0);
                for (std::uint32_t c = 1; c < cols; ++c) x = g(x, src.get(r, c));
                return x;
              }) == 0);
      }
      const Binary add = [type](double a, double b) {
        return is_integer(type) ? a + b : static_cast<double>(static_cast<float>(a + b));
      };
      for (const auto& [op, f] :
           {std::pair{Opcode::TColMax, larger}, std::pair{Opcode::TColMin, smaller}, std::pair{Opcode::TColSum, add}}) {
        test::run({.opcode = op}, row.view(), src.view());
        CHECK(wrong_elements(row, [&, g = f](auto, auto c) {
                double x = src.get(0, c);
                for (std::uint32_t r = 1; r < kRows; ++r) x = g(x, src.get(r, c));
                return x;
              }) == 0);
      }
    }
  });
  TileBuffer src{1, 40, DType::F32}, dst{1, 1, DType::F32, Layout::DN};
  src.randomise(1);
  src.view().at<float>(0, 33) = std::numeric_limits<float>::quiet_NaN();
  test::run({.opcode = Opcode::TRowMax}, dst.view(), src.view());
  CHECK(std::isnan(dst.view().at<float>(0, 0)));
}

TEST_CASE("broadcasts combine each element with the value of its row or column", "[vector]") {
  struct Case {
    Opcode op;
    bool of_rows;
    Binary f;
    bool integers;
  };
  const Case cases[] = {{Opcode::TRowExpandAdd, true, [](double a, double b) { return a + b; }, true},
                        {Opcode::TRowExpandSub, true, [](double a, double b) { return a - b; }, true},
                        {Opcode::TRowExpandMul, true, [](double a, double b) { return a * b; }, true},
                        {Opcode::TRowExpandDiv, true, [](double a, double b) { return a / b; }, false},
                        {Opcode::TColExpandAdd, false, [](double a, double b) { return a + b; }, true},
                        {Opcode::TColExpandMul, false, [](double a, double b) { return a * b; }, true}};
  on_every_shape([&](DType type, Layout layout, std::uint32_t padding) {
    TileBuffer dst{kRows, kCols, type, layout, padding}, a{kRows, kCols, type, layout, padding};
    TileBuffer column{kRows, 1, type, Layout::DN}, row{1, kCols, type};
    a.randomise(1, -1000, 1000);
    column.randomise(2, -50, 50);
    row.randomise(3, -50, 50);
    for (const Case& k : cases) {
      if (is_integer(type) && !k.integers) continue;
      CAPTURE(op_info(k.op).mnemonic);
      test::run({.opcode = k.op}, dst.view(), a.view(), k.of_rows ? column.view() : row.view());
      CHECK(wrong_elements(dst, [&](auto r, auto c) {
              return k.f(a.get(r, c), k.of_rows ? column.get(r, 0) : row.get(0, c));
            }) == 0);
    }
    test::run({.opcode = Opcode::TRowExpand}, dst.view(), column.view());
    CHECK(wrong_elements(dst, [&](auto r, auto) { return column.get(r, 0); }) == 0);
    test::run({.opcode = Opcode::TColExpand}, dst.view(), row.view());
    CHECK(wrong_elements(dst, [&](auto, auto c) { return row.get(0, c); }) == 0);
  });
}

TEST_CASE("arithmetic on a type the unit lacks is a program error", "[vector]") {
  TileBuffer a{1, 8, DType::BF16}, b{1, 8, DType::I32};
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TAdd}, a.view(), a.view(), a.view()), ProgramError);
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TExp}, b.view(), b.view()), ProgramError);
}

}  // namespace npu::isa
