// The matrix kernels against plain loops, at sizes that leave tails in every dimension.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "isa/numerics/numerics.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/matmul/widen.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using kernels::WeightOrder;

std::vector<std::int8_t> random_i8(std::size_t n, unsigned seed) {
  std::mt19937 generator{seed};
  std::vector<std::int8_t> v(n);
  for (auto& x : v) x = static_cast<std::int8_t>(static_cast<int>(generator() % 255U) - 127);
  return v;
}

std::vector<float> random_scales(std::size_t n, unsigned seed) {
  std::mt19937 generator{seed};
  std::vector<float> v(n);
  for (auto& x : v) x = 0.001F + static_cast<float>(generator() % 1000U) * 1e-5F;
  return v;
}

void check_quant_matmul(std::uint32_t rows, std::uint32_t n, std::uint32_t k, WeightOrder order) {
  test::KernelBench bench;
  const auto x = random_i8(std::size_t{rows} * k, 1), w = random_i8(std::size_t{n} * k, 2);
  const auto x_scale = random_scales(rows, 3), w_scale = random_scales(n, 4);
  bench.bind("x", x);
  bench.bind("x_scale", x_scale);
  bench.bind("w", w);
  bench.bind("w_scale", w_scale);
  bench.bind("y", std::vector<isa::Bf16>(std::size_t{rows} * n));
  bench.run(kernels::quant_matmul("quant_matmul", {rows, n, k, order, isa::DType::BF16}, isa::a2a3_arch_spec()));
  const auto y = bench.read<isa::Bf16>("y");
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < n; ++c) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < k; ++i)
        sum += x[r * k + i] * (order == WeightOrder::NK ? w[c * k + i] : w[i * n + c]);
      const isa::Bf16 expected = isa::to_bf16(static_cast<float>(sum) * x_scale[r] * w_scale[c]);
      if (!(y[r * n + c] == expected)) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("an int8 projection with n-major weights is exact at odd sizes", "[matmul]") {
  check_quant_matmul(21, 416, 192, WeightOrder::NK);
}
TEST_CASE("an int8 projection with k-major weights is exact over several row and column tiles", "[matmul]") {
  check_quant_matmul(130, 6160, 64, WeightOrder::KN);
}
TEST_CASE("an int8 projection of one row is exact", "[matmul]") { check_quant_matmul(1, 16, 32, WeightOrder::NK); }

float as_float(float v) { return v; }
float as_float(isa::Bf16 v) { return isa::to_float(v); }

/// y = x @ w of one type, w [k, n], against the chain of fused products along k.
template <class T>
void check_float_matmul(isa::DType dtype, T (*from_float)(float)) {
  constexpr std::uint32_t kRows = 19, kN = 144, kK = 160;
  test::KernelBench bench;
  std::mt19937 generator{7};
  std::normal_distribution<float> normal;
  std::vector<T> x(kRows * kK), w(kK * kN);
  for (auto& v : x) v = from_float(normal(generator));
  for (auto& v : w) v = from_float(normal(generator));
  bench.bind("x", x);
  bench.bind("w", w);
  bench.bind("y", std::vector<float>(kRows * kN));
  bench.run(kernels::float_matmul("projection", {kRows, kN, kK, dtype, WeightOrder::KN}, isa::a2a3_arch_spec()));
  const auto y = bench.read<float>("y");
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kN; ++c) {
      float sum = 0;
      for (std::size_t i = 0; i < kK; ++i) sum = std::fma(as_float(x[r * kK + i]), as_float(w[i * kN + c]), sum);
      if (sum != y[r * kN + c]) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a bf16 projection equals the fma chain along k bit by bit", "[matmul]") {
  check_float_matmul<isa::Bf16>(isa::DType::BF16, [](float v) { return isa::to_bf16(v); });
}
TEST_CASE("an fp32 projection equals the fma chain along k bit by bit", "[matmul]") {
  check_float_matmul<float>(isa::DType::F32, [](float v) { return v; });
}

TEST_CASE("a bf16 operand widens to the same values", "[matmul]") {
  for (const std::uint32_t rows : {1U, 32U, 131U}) {
    constexpr std::uint32_t kColumns = 48;
    std::vector<isa::Bf16> x(rows * kColumns);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = isa::Bf16{static_cast<std::uint16_t>(13 * i % 0x7F80)};
    test::KernelBench bench;
    bench.bind("x", x);
    bench.bind("y", std::vector<float>(x.size()));
    bench.run(kernels::widen("widen", rows, kColumns, isa::a2a3_arch_spec()));
    const auto y = bench.read<float>("y");
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) wrong += y[i] != isa::to_float(x[i]) ? 1U : 0U;
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace npu
