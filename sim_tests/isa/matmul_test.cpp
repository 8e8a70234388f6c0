// The multiply-accumulate contract against a loop of std::fma, for every layout, type, odd size and host variant.
#include <cmath>

#include "isa/numerics/host_variant.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::TileBuffer;

struct Shape {
  std::uint32_t m, n, k;
};
constexpr Shape kShapes[] = {{1, 1, 1},   {1, 17, 9},  {2, 8, 3},    {3, 33, 31},   {5, 16, 64}, {6, 15, 8},
                             {7, 31, 17}, {13, 40, 1}, {16, 64, 48}, {31, 29, 300}, {4, 7, 513}};
constexpr HostVariant kVariants[] = {HostVariant::Baseline, HostVariant::Avx2, HostVariant::Avx512};

float element(const TileBuffer& t, std::uint32_t r, std::uint32_t c) { return static_cast<float>(t.get(r, c)); }

std::uint32_t canonical_bits(float x) { return std::isnan(x) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(x); }

// Number of accumulator elements whose bits differ from the chain that starts at initial(i, j).
template <class Initial>
std::size_t wrong_chains(const TileBuffer& acc, const TileBuffer& left, const TileBuffer& right, Initial initial) {
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < acc.view().rows; ++i) {
    for (std::uint32_t j = 0; j < acc.view().cols; ++j) {
      float sum = initial(i, j);
      for (std::uint32_t k = 0; k < left.view().cols; ++k)
        sum = std::fma(element(left, i, k), element(right, k, j), sum);
      wrong += std::bit_cast<std::uint32_t>(acc.view().at<float>(i, j)) != canonical_bits(sum);
    }
  }
  return wrong;
}

template <class F>
void on_every_variant(F&& f) {
  const HostVariant usual = host_variant();
  for (const HostVariant v : kVariants) {
    if (!host_supports(v)) continue;
    CAPTURE(kHostVariantNames[index_of(v)]);
    select_host_variant(v);
    f();
  }
  select_host_variant(usual);
}

}  // namespace

TEST_CASE("float matmul is the chain of fused multiply-adds along k on every variant and layout", "[matmul]") {
  on_every_variant([] {
    for (const auto& [m, n, k] : kShapes) {
      for (const DType type : {DType::BF16, DType::F16, DType::F32}) {
        for (const Layout layout : {Layout::ZN, Layout::ZNt}) {
          CAPTURE(m, n, k, name_of(type), name_of(layout));
          TileBuffer acc{m, n, DType::F32}, left{m, k, type}, right{k, n, type, layout}, bias{1, n, DType::F32};
          left.randomise(1);
          right.randomise(2);
          bias.randomise(3);
          acc.randomise(4);
          Operands o;
          o.t = {acc.view(), left.view(), right.view()};
          o.bias = bias.view();
          execute({.opcode = Opcode::TMatmul}, o);
          CHECK(wrong_chains(acc, left, right, [](auto, auto) { return 0.0F; }) == 0);
          execute({.opcode = Opcode::TMatmulBias}, o);
          CHECK(wrong_chains(acc, left, right, [&](auto, auto j) { return element(bias, 0, j); }) == 0);
          TileBuffer before{m, n, DType::F32};
          before.randomise(5);
          test::run({.opcode = Opcode::TCopy}, acc.view(), before.view());
          execute({.opcode = Opcode::TMatmulAcc}, o);
          CHECK(wrong_chains(acc, left, right, [&](auto i, auto j) { return element(before, i, j); }) == 0);
          CHECK(acc.guards_intact());
        }
      }
    }
  });
}

TEST_CASE("int8 matmul is exact at the extremes of its range", "[matmul]") {
  on_every_variant([] {
    for (const auto& [m, n, k] : kShapes) {
      for (const Layout layout : {Layout::ZN, Layout::ZNt}) {
        CAPTURE(m, n, k, name_of(layout));
        TileBuffer acc{m, n, DType::I32}, left{m, k, DType::I8}, right{k, n, DType::I8, layout};
        left.randomise(1, -128.9, 127.9);
        right.randomise(2, -128.9, 127.9);
        for (std::uint32_t i = 0; i < k; ++i) left.set(0, i, -128), right.set(i, 0, -128);
        acc.randomise(3, -1e6, 1e6);
        TileBuffer before{m, n, DType::I32};
        before.randomise(3, -1e6, 1e6);
        test::run({.opcode = Opcode::TMatmulAcc}, acc.view(), left.view(), right.view());
        std::size_t wrong = 0;
        for (std::uint32_t i = 0; i < m; ++i) {
          for (std::uint32_t j = 0; j < n; ++j) {
            double sum = before.get(i, j);
            for (std::uint32_t kk = 0; kk < k; ++kk) sum += left.get(i, kk) * right.get(kk, j);
            wrong += acc.get(i, j) != sum;
          }
        }
        CHECK(wrong == 0);
        CHECK(acc.guards_intact());
      }
    }
  });
}

TEST_CASE("matmul carries infinity and turns every NaN into the canonical one", "[matmul]") {
  on_every_variant([] {
    const float infinity = std::numeric_limits<float>::infinity();
    TileBuffer acc{3, 20, DType::F32}, left{3, 9, DType::F32}, right{9, 20, DType::F32, Layout::ZN};
    left.randomise(1, 1, 2);
    right.randomise(2, 1, 2);
    left.view().at<float>(0, 4) = infinity;
    left.view().at<float>(1, 2) = std::bit_cast<float>(0xffc12345U);
    right.view().at<float>(4, 7) = 0.0F;
    right.view().at<float>(8, 19) = -infinity;
    test::run({.opcode = Opcode::TMatmul}, acc.view(), left.view(), right.view());
    CHECK(wrong_chains(acc, left, right, [](auto, auto) { return 0.0F; }) == 0);
    CHECK(std::bit_cast<std::uint32_t>(acc.view().at<float>(0, 7)) == 0x7fc00000U);   // infinity * 0
    CHECK(std::bit_cast<std::uint32_t>(acc.view().at<float>(0, 19)) == 0x7fc00000U);  // infinity - infinity
    CHECK(std::bit_cast<std::uint32_t>(acc.view().at<float>(1, 0)) == 0x7fc00000U);
    CHECK(acc.view().at<float>(0, 0) == infinity);
    CHECK(acc.view().at<float>(2, 19) == -infinity);
  });
}

}  // namespace npu::isa
