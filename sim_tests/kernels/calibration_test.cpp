// The calibration kernels against plain loops: small and odd sizes, every field of their plans.
#include <algorithm>
#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "isa/numerics/numerics.hpp"
#include "kernels/calibration/copy.hpp"
#include "kernels/calibration/gemm.hpp"
#include "kernels/calibration/vector_add.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using Catch::Contains;
using isa::DType;
using kernels::GemmPlan;

/// Small integers, whose sums are exact in every type and order.
template <class T>
std::vector<T> small_integers(std::size_t n, unsigned seed) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const int value = static_cast<int>((i * 2654435761U + seed * 40503U) >> 7U) % 5 - 2;
    if constexpr (std::is_same_v<T, isa::Fp16>) {
      values[i] = isa::to_fp16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, isa::Bf16>) {
      values[i] = isa::to_bf16(static_cast<float>(value));
    } else {
      values[i] = static_cast<T>(value);
    }
  }
  return values;
}

double number(isa::Fp16 v) { return static_cast<double>(isa::to_float(v)); }
double number(isa::Bf16 v) { return static_cast<double>(isa::to_float(v)); }
double number(float v) { return static_cast<double>(v); }
double number(std::int8_t v) { return v; }
double number(std::int32_t v) { return v; }

/// The value as an element of C holds it.
template <class Out>
double rounded(double value) {
  if constexpr (std::is_same_v<Out, isa::Fp16>) {
    return number(isa::to_fp16(static_cast<float>(value)));
  } else if constexpr (std::is_same_v<Out, isa::Bf16>) {
    return number(isa::to_bf16(static_cast<float>(value)));
  } else {
    return value;
  }
}

/// How many elements of C differ from the product.
template <class T, class Out>
std::size_t wrong_elements(const GemmPlan& plan) {
  const bool nk = plan.b_layout == GemmPlan::BLayout::DN;
  const std::size_t m = plan.m, n = plan.n, k = plan.k;
  test::KernelBench bench;
  const auto a = small_integers<T>(plan.groups * m * k, 1), b = small_integers<T>(plan.groups * n * k, 2);
  bench.bind("a", a);
  bench.bind("b", b);
  bench.bind("c", std::vector<Out>(plan.groups * m * n));
  bench.run(kernels::gemm(plan, isa::a2a3_arch_spec()));
  const auto c = bench.read<Out>("c");
  std::size_t wrong = 0;
  for (std::size_t g = 0; g < plan.groups; ++g) {
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t l = 0; l < k; ++l) {
          sum += number(a[(g * m + i) * k + l]) * number(b[g * n * k + (nk ? j * k + l : l * n + j)]);
        }
        if (number(c[(g * m + i) * n + j]) != rounded<Out>(sum)) ++wrong;
      }
    }
  }
  return wrong;
}
std::size_t wrong_f16(const GemmPlan& plan) { return wrong_elements<isa::Fp16, isa::Fp16>(plan); }

GemmPlan sizes(std::uint32_t m, std::uint32_t n, std::uint32_t k) {
  GemmPlan plan;
  plan.m = m;
  plan.n = n;
  plan.k = k;
  return plan;
}
GemmPlan with_base(GemmPlan plan, kernels::Extent3 base) {
  plan.base = base;
  return plan;
}

TEST_CASE("a product of odd extents is exact with the plan that gemm chooses", "[gemm]") {
  CHECK(wrong_f16(sizes(100, 77, 150)) == 0);
}
TEST_CASE("a product of one row is exact", "[gemm]") { CHECK(wrong_f16(sizes(1, 500, 64)) == 0); }
TEST_CASE("a product of k below a fractal is exact", "[gemm]") { CHECK(wrong_f16(sizes(20, 40, 7)) == 0); }
TEST_CASE("a product with cut blocks and a cut slab is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(70, 50, 200), {32, 48, 32});
  plan.step_k = 3;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product with a transposed right operand is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(70, 50, 210), {32, 48, 32});
  plan.step_k = 3;
  plan.b_layout = GemmPlan::BLayout::DN;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product through single buffers is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(70, 50, 210), {32, 48, 32});
  plan.l1_buffers = plan.l0_buffers = 1;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product with two accumulators is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(70, 50, 96), {16, 16, 32});
  plan.acc_buffers = 2;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product on a grid whose rectangles are cut is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(100, 110, 64), {16, 32, 32});
  plan.grid = {3, 4};
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product on a grid in two panels of rows is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(101, 110, 64), {16, 32, 32});
  plan.grid = {3, 4};
  plan.order = GemmPlan::BlockOrder::Swizzle;
  plan.groups = 2;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a product in swizzled order is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(130, 100, 64), {16, 16, 32});
  plan.order = GemmPlan::BlockOrder::Swizzle;
  plan.cores = 5;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("products of several groups with weights of their own are exact", "[gemm]") {
  GemmPlan plan = sizes(24, 60, 90);
  plan.groups = 5;
  CHECK(wrong_f16(plan) == 0);
  plan.b_layout = GemmPlan::BLayout::DN;
}
TEST_CASE("a product whose k is split over cores is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(24, 60, 192), {16, 32, 16});
  plan.split_k = 4;
  plan.groups = 2;
  plan.out = DType::F32;
  CHECK(wrong_elements<isa::Fp16, float>(plan) == 0);
}
TEST_CASE("a product whose cores begin at different slabs of k is exact", "[gemm]") {
  GemmPlan plan = with_base(sizes(64, 64, 200), {16, 16, 16});
  plan.step_k = 2;
  plan.stagger_k = true;
  CHECK(wrong_f16(plan) == 0);
}
TEST_CASE("a bf16 product rounds to bf16", "[gemm]") {
  GemmPlan plan = sizes(30, 33, 60);
  plan.dtype = plan.out = DType::BF16;
  CHECK(wrong_elements<isa::Bf16, isa::Bf16>(plan) == 0);
}
TEST_CASE("an int8 product is exact in int32", "[gemm]") {
  GemmPlan plan = sizes(33, 65, 129);
  plan.dtype = DType::I8;
  plan.out = DType::I32;
  CHECK(wrong_elements<std::int8_t, std::int32_t>(plan) == 0);
}
TEST_CASE("a product of the chip's width is exact with the plan that gemm chooses", "[gemm]") {
  CHECK(wrong_f16(sizes(257, 1030, 48)) == 0);
}

void check_refused(const GemmPlan& plan, const std::string& message) {
  CHECK_THROWS_WITH(kernels::gemm(plan, isa::a2a3_arch_spec()), Contains(message));
}

TEST_CASE("plans that contradict themselves, the card or the instruction set are refused with the way out", "[gemm]") {
  GemmPlan plan = sizes(64, 64, 64);
  check_refused(with_base(plan, {17, 16, 16}), "--base 17x16x16: m and n are multiples of 16, k of 16");
  check_refused(with_base(plan, {256, 256, 64}), "l0c");
  plan.split_k = 3;
  check_refused(plan, "--split-k 3 does not divide --k 64 into whole fractals of 16 f16");
  plan.split_k = 2;
  check_refused(plan, "--split-k adds parts in memory, in full precision; say --out-dtype f32");
  plan.split_k = 1;
  plan.grid = {5, 5};
  check_refused(plan, "--grid 5x5 is 25 cores, a card has 24");
  plan.grid = {2, 2};
  plan.cores = 3;
  check_refused(plan, "--grid 2x2 is 4 cores, --cores says 3");
  plan = sizes(64, 64, 64);
  plan.cores = 25;
  check_refused(plan, "--cores 25 exceeds the 24 cube cores");
  plan = sizes(64, 64, 64);
  plan.out = DType::I32;
  check_refused(plan, "--dtype f16 accumulates in f32, which no store turns into --out-dtype i32");
  plan = sizes(64, 64, 64);
  plan.unit_flag = true;
  check_refused(plan, "not modelled: --unit-flag");
  plan.unit_flag = false;
  plan.prefetch_b = true;
  check_refused(plan, "not modelled: --prefetch-b");
  plan.prefetch_b = false;
  plan.b_layout = GemmPlan::BLayout::NZ;
  check_refused(plan, "not modelled: --b-layout nz");
}

TEST_CASE("the plan that gemm chooses keeps every core busy where there is work for all", "[gemm]") {
  const GemmPlan plan = kernels::resolved("gemm", sizes(128, 4096, 4096), isa::a2a3_arch_spec());
  const std::uint32_t blocks = (128 + plan.base.m - 1) / plan.base.m * ((4096 + plan.base.n - 1) / plan.base.n);
  CHECK(plan.cores == 24);
  const std::uint32_t rounds = (blocks + 23) / 24;
  CHECK(blocks >= 0.8 * 24 * rounds);
}

/// What each core of a copy leaves behind.
std::vector<std::int32_t> seen(const kernels::CopyPlan& plan, std::uint32_t cores) {
  test::KernelBench bench;
  std::vector<std::int32_t> x(std::size_t{plan.rows} * plan.stride());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::int32_t>(i);
  bench.bind("x", x);
  bench.bind("seen", std::vector<std::int32_t>(std::size_t{cores} * plan.left_behind()));
  bench.run(kernels::copy(plan, isa::a2a3_arch_spec()));
  return bench.read<std::int32_t>("seen");
}

kernels::CopyPlan copy_plan(std::uint32_t rows, std::uint32_t cols, kernels::Extent2 tile, std::uint32_t cores) {
  kernels::CopyPlan plan;
  plan.rows = rows;
  plan.cols = cols;
  plan.tile = tile;
  plan.cores = cores;
  plan.dtype = DType::I32;
  return plan;
}

TEST_CASE("a copy reads each core's band to its last tile, cut where the matrix ends", "[copy]") {
  kernels::CopyPlan plan = copy_plan(50, 70, {8, 32}, 3);
  plan.row_stride = 71;
  const auto last = seen(plan, 3);
  for (const std::size_t core : {0U, 1U, 2U}) {
    const std::size_t first = core * 17, end = std::min<std::size_t>(first + 17, 50);
    const std::size_t row = first + (end - first - 1) / 8 * 8;
    for (std::size_t i = 0; i < 6; ++i) CHECK(last[core * 8 + i] == static_cast<std::int32_t>(row * 71 + 64 + i));
    CHECK(last[core * 8 + 6] == 0);
  }
}

TEST_CASE("a copy into L1 in slices and passes ends at the same tile", "[copy]") {
  kernels::CopyPlan plan = copy_plan(64, 128, {16, 32}, 2);
  plan.path = kernels::CopyPlan::Path::GmToL1;
  plan.slices = 2;
  plan.passes = 3;
  const auto last = seen(plan, 2);
  CHECK(last[0] == 16 * 128 + 96);
  CHECK(last[8] == 48 * 128 + 96);
}

TEST_CASE("cores that read the whole matrix end where the one before them begins", "[copy]") {
  kernels::CopyPlan plan = copy_plan(64, 32, {16, 32}, 4);
  plan.order = kernels::CopyPlan::Order::Rotated;
  const auto last = seen(plan, 4);
  for (const std::size_t core : {0U, 1U, 2U, 3U}) {
    CHECK(last[core * 8] == static_cast<std::int32_t>((core + 3) % 4 * 16 * 32));
  }
}

TEST_CASE("copies that contradict themselves are refused", "[copy]") {
  kernels::CopyPlan plan = copy_plan(64, 32, {16, 32}, 49);
  CHECK_THROWS_WITH(kernels::copy(plan, isa::a2a3_arch_spec()), Contains("--cores 49 exceeds the 48 vector cores"));
  plan.cores = 1;
  plan.row_stride = 31;
  CHECK_THROWS_WITH(kernels::copy(plan, isa::a2a3_arch_spec()), Contains("--row-stride 31 is shorter than a row"));
  plan.row_stride = 0;
  plan.slices = 2;
  CHECK_THROWS_WITH(kernels::copy(plan, isa::a2a3_arch_spec()), Contains("--slices 2 of --cols 32 are narrower"));
}

void check_sum(const kernels::VectorAddPlan& plan) {
  test::KernelBench bench;
  const std::size_t n = std::size_t{plan.rows} * plan.cols;
  const auto x = small_integers<isa::Fp16>(n, 3), y = small_integers<isa::Fp16>(n, 4);
  bench.bind("x", x);
  bench.bind("y", y);
  bench.bind("z", std::vector<isa::Fp16>(n));
  bench.run(kernels::vector_add(plan, isa::a2a3_arch_spec()));
  const auto z = bench.read<isa::Fp16>("z");
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i) wrong += number(z[i]) != number(x[i]) + number(y[i]) ? 1U : 0U;
  CHECK(wrong == 0);
}

TEST_CASE("a sum over fewer rows than cores is exact", "[vector_add]") {
  kernels::VectorAddPlan plan;
  plan.rows = 13;
  plan.cols = 77;
  plan.chunk = 64;
  check_sum(plan);
}
TEST_CASE("a sum in single buffers, with sources in one bank group, is exact", "[vector_add]") {
  kernels::VectorAddPlan plan;
  plan.rows = 7;
  plan.cols = 1000;
  plan.chunk = 640;
  plan.cores = 3;
  plan.buffers = 1;
  plan.banks = kernels::VectorAddPlan::Banks::Conflict;
  check_sum(plan);
}

TEST_CASE("the banks of a sum decide where its second source begins", "[vector_add]") {
  const auto distance = [](kernels::VectorAddPlan::Banks banks) {
    kernels::VectorAddPlan plan;
    plan.banks = banks;
    const kernels::Kernel kernel = kernels::vector_add(plan, isa::a2a3_arch_spec());
    const auto offset = [&](const std::string& name) {
      return std::find_if(kernel.memory_map.begin(), kernel.memory_map.end(),
                          [&](const isa::Allocation& tile) { return tile.name == name; })
          ->offset;
    };
    return (offset("y") - offset("x")) % 512;
  };
  CHECK(distance(kernels::VectorAddPlan::Banks::Conflict) == 0);
  CHECK(distance(kernels::VectorAddPlan::Banks::Free) == 256);
}

TEST_CASE("a hint that transfers cannot carry is refused by its flag", "[vector_add]") {
  kernels::VectorAddPlan plan;
  plan.in_l2 = kernels::L2Use::Bypass;
  CHECK_THROWS_WITH(kernels::vector_add(plan, isa::a2a3_arch_spec()), Contains("not modelled: --in-l2 bypass"));
}

}  // namespace
}  // namespace npu
