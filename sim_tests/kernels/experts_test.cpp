// The expert kernels against the untiled reference, bit by bit, with every number of rows an expert may get.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/moe/expert_down.hpp"
#include "kernels/moe/expert_gate_up.hpp"
#include "kernels/moe/quant_rows.hpp"
#include "kernels/reference/experts.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using kernels::LayerConfig;
using kernels::reference::Numerics;

constexpr float kOldFloat = 7.25F;
constexpr std::int8_t kOldByte = 77;
constexpr Bf16 kOldBf16{0x5a5a};

std::vector<std::int8_t> random_i8(std::size_t n, std::mt19937& generator) {
  std::vector<std::int8_t> v(n);
  for (auto& x : v) x = static_cast<std::int8_t>(static_cast<int>(generator() % 255U) - 127);
  return v;
}

std::vector<float> random_f32(std::size_t n, float low, float high, std::mt19937& generator) {
  std::uniform_real_distribution<float> uniform{low, high};
  std::vector<float> v(n);
  for (auto& x : v) x = uniform(generator);
  return v;
}

/// Inputs of `count` experts with `limit` rows each; the standard deviation of the gate is about `spread`.
struct Experts {
  Experts(const LayerConfig& c, std::size_t count, std::size_t limit, float spread) {
    std::mt19937 g{11};
    const std::size_t rows = count * limit, weight = std::size_t{c.moe_inter} * c.hidden;
    const float scale = spread / (73.0F * 73.0F * std::sqrt(static_cast<float>(c.hidden)));
    x = random_i8(rows * c.hidden, g);
    x_scale = random_f32(rows, 0.5F * scale, 1.5F * scale, g);
    route_w = random_f32(rows, 0.05F, 1.0F, g);
    w1 = random_i8(count * weight, g);
    w3 = random_i8(count * weight, g);
    w2 = random_i8(count * weight, g);
    w1_scale = random_f32(count * c.moe_inter, 0.5F, 1.5F, g);
    w3_scale = random_f32(count * c.moe_inter, 0.5F, 1.5F, g);
    w2_scale = random_f32(count * c.hidden, 1e-4F, 1e-3F, g);
  }
  [[nodiscard]] kernels::reference::ExpertWeights weights() const { return {w1, w3, w2, w1_scale, w3_scale, w2_scale}; }
  void bind_gate_up(test::KernelBench& bench) const {
    bench.bind("x", x);
    bench.bind("x_scale", x_scale);
    bench.bind("w1", w1);
    bench.bind("w1_scale", w1_scale);
    bench.bind("w3", w3);
    bench.bind("w3_scale", w3_scale);
  }

  std::vector<std::int8_t> x, w1, w3, w2;
  std::vector<float> x_scale, route_w, w1_scale, w3_scale, w2_scale;
};

LayerConfig expert_config(std::uint32_t hidden, std::uint32_t inter, std::uint32_t experts, std::uint32_t recv_max) {
  LayerConfig cfg;
  cfg.hidden = hidden;
  cfg.moe_inter = inter;
  cfg.local_experts = experts;
  cfg.recv_max = recv_max;
  return cfg;
}

/// Elements of [experts * limit, cols] in rows that the counts leave unused and that differ from `old`.
template <class T>
std::size_t overwritten(const std::vector<T>& tensor, const std::vector<std::int32_t>& counts, std::size_t limit,
                        T old) {
  const std::size_t cols = tensor.size() / (counts.size() * limit);
  std::size_t changed = 0;
  for (std::size_t e = 0; e < counts.size(); ++e) {
    const auto used = std::min(static_cast<std::size_t>(counts[e]), limit);
    const auto begin = tensor.begin() + static_cast<std::ptrdiff_t>((e * limit + used) * cols);
    const auto end = tensor.begin() + static_cast<std::ptrdiff_t>((e + 1) * limit * cols);
    changed += static_cast<std::size_t>(std::count_if(begin, end, [&](const T& v) { return !(v == old); }));
  }
  return changed;
}

/// Runs gate-up, quantisation and down projection; `counts` may exceed the limit, the kernels then use the limit.
void check_routed(const LayerConfig& cfg, std::vector<std::int32_t> counts, float spread) {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  const std::size_t rows = cfg.recv_rows();
  const Experts in{cfg, cfg.local_experts, cfg.recv_max, spread};
  test::KernelBench bench;
  in.bind_gate_up(bench);
  bench.bind("count", counts);
  bench.bind("w2", in.w2);
  bench.bind("w2_scale", in.w2_scale);
  bench.bind("route_w", in.route_w);
  bench.bind("h", std::vector<float>(rows * cfg.moe_inter, kOldFloat));
  bench.bind("h_i8", std::vector<std::int8_t>(rows * cfg.moe_inter, kOldByte));
  bench.bind("h_scale", std::vector<float>(rows, kOldFloat));
  bench.bind("y", std::vector<Bf16>(rows * cfg.hidden, kOldBf16));
  bench.run(kernels::routed_gate_up(cfg, arch));
  bench.run(kernels::routed_quant(cfg, arch));
  bench.run(kernels::routed_down(cfg, arch));

  for (auto& count : counts) count = std::min(count, static_cast<std::int32_t>(cfg.recv_max));
  std::vector<Bf16> expected(rows * cfg.hidden);
  kernels::reference::routed_experts(cfg, Numerics::Device, {in.x, in.x_scale, in.route_w, counts, in.weights()},
                                     expected);
  for (std::size_t e = 0; e < counts.size(); ++e) {
    const std::size_t unused = (e * cfg.recv_max + static_cast<std::size_t>(counts[e])) * cfg.hidden;
    std::fill(expected.begin() + static_cast<std::ptrdiff_t>(unused),
              expected.begin() + static_cast<std::ptrdiff_t>((e + 1) * cfg.recv_max * cfg.hidden), kOldBf16);
  }
  CHECK(bench.read<Bf16>("y") == expected);
  CHECK(overwritten(bench.read<float>("h"), counts, cfg.recv_max, kOldFloat) == 0);
  CHECK(overwritten(bench.read<std::int8_t>("h_i8"), counts, cfg.recv_max, kOldByte) == 0);
  CHECK(overwritten(bench.read<float>("h_scale"), counts, cfg.recv_max, kOldFloat) == 0);
}

TEST_CASE("routed experts with none, one, an odd number and all of their rows equal the reference", "[experts]") {
  check_routed(expert_config(256, 64, 4, 48), {0, 1, 17, 48}, 10.0F);
}

TEST_CASE("more rows than a tile holds stay out of the next expert's rows", "[experts]") {
  check_routed(expert_config(128, 32, 4, 150), {150, 129, 0, 128}, 10.0F);
}

TEST_CASE("experts share the clusters when there are more tiles than clusters", "[experts]") {
  check_routed(expert_config(1024, 512, 5, 20), {3, 0, 20, 16, 1}, 10.0F);
}

TEST_CASE("experts that are all empty leave every output as it was", "[experts]") {
  check_routed(expert_config(64, 32, 3, 16), {0, 0, 0}, 1.0F);
}

TEST_CASE("a count beyond the limit uses the limit's rows", "[experts]") {
  check_routed(expert_config(64, 32, 3, 24), {25, 0, 99}, 1.0F);
}

TEST_CASE("without a SwiGLU limit a gate far below zero gives zero", "[experts]") {
  LayerConfig cfg = expert_config(64, 32, 2, 16);
  cfg.swiglu_limit = 0;
  check_routed(cfg, {16, 5}, 200.0F);
}

void check_shared(std::uint32_t tokens, std::uint32_t hidden, std::uint32_t inter) {
  LayerConfig cfg = expert_config(hidden, inter, 1, 1);
  cfg.batch = tokens;
  cfg.seq = 1;
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  const Experts in{cfg, 1, tokens, 10.0F};
  test::KernelBench bench;
  in.bind_gate_up(bench);
  bench.bind("h", std::vector<float>(std::size_t{tokens} * inter, kOldFloat));
  bench.run(kernels::shared_gate_up(cfg, arch));
  bench.bind("x", bench.read<float>("h"));
  bench.bind("x_i8", std::vector<std::int8_t>(std::size_t{tokens} * inter, kOldByte));
  bench.bind("x_scale", std::vector<float>(tokens, kOldFloat));
  bench.run(kernels::quant_rows("shared_quant", tokens, inter, arch));
  bench.bind("x", bench.read<std::int8_t>("x_i8"));
  bench.bind("w", in.w2);
  bench.bind("w_scale", in.w2_scale);
  bench.bind("y", std::vector<Bf16>(std::size_t{tokens} * hidden, kOldBf16));
  bench.run(
      kernels::quant_matmul("shared_down", {tokens, hidden, inter, kernels::WeightOrder::NK, isa::DType::BF16}, arch));
  std::vector<Bf16> expected(std::size_t{tokens} * hidden);
  kernels::reference::expert(cfg, Numerics::Device, {in.x, in.x_scale, {}, in.weights()}, expected);
  CHECK(bench.read<Bf16>("y") == expected);
}

TEST_CASE("the shared expert equals the reference with an odd number of tokens", "[experts]") {
  check_shared(37, 256, 96);
}

TEST_CASE("the shared expert equals the reference with more tokens than a tile holds", "[experts]") {
  check_shared(145, 128, 64);
}

void check_quant_rows(std::uint32_t rows, std::uint32_t cols) {
  std::mt19937 generator{5};
  std::vector<float> x = random_f32(std::size_t{rows} * cols, -3.0F, 3.0F, generator);
  std::fill_n(x.begin(), cols, 0.0F);  // below the smallest amplitude
  if (rows > 1) std::fill_n(x.begin() + cols, cols, 5e-5F);
  test::KernelBench bench;
  bench.bind("x", x);
  bench.bind("x_i8", std::vector<std::int8_t>(x.size(), kOldByte));
  bench.bind("x_scale", std::vector<float>(rows, kOldFloat));
  bench.run(kernels::quant_rows("quant_rows", rows, cols, isa::a2a3_arch_spec()));
  std::vector<std::int8_t> quantised(x.size());
  std::vector<float> scale(rows);
  for (std::size_t r = 0; r < rows; ++r)
    scale[r] = kernels::reference::quantise({&x[r * cols], cols}, {&quantised[r * cols], cols});
  CHECK(bench.read<std::int8_t>("x_i8") == quantised);
  CHECK(bench.read<float>("x_scale") == scale);
}

TEST_CASE("quantised rows equal the reference when rows and columns leave tails", "[experts]") {
  check_quant_rows(1001, 72);
}

TEST_CASE("quantised rows equal the reference when one row fills most of the buffer", "[experts]") {
  check_quant_rows(3, 8192);
}

TEST_CASE("the expert kernels are legal programs at the sizes of the shipped models", "[experts]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  for (const std::uint32_t recv_max : {48U, 96U, 1000U}) {
    for (const LayerConfig& cfg : {expert_config(256, 64, 4, recv_max), expert_config(4096, 2048, 32, recv_max),
                                   expert_config(7168, 3072, 192, recv_max)}) {
      CAPTURE(cfg.hidden, recv_max);
      CHECK_NOTHROW(kernels::shared_gate_up(cfg, arch));
      CHECK_NOTHROW(kernels::quant_rows("shared_quant", cfg.tokens(), cfg.moe_inter, arch));
      CHECK_NOTHROW(kernels::routed_gate_up(cfg, arch));
      CHECK_NOTHROW(kernels::routed_quant(cfg, arch));
      CHECK_NOTHROW(kernels::routed_down(cfg, arch));
    }
  }
}

TEST_CASE("expert sizes that no tile fits are refused with the limit", "[experts]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  CHECK_THROWS_WITH(kernels::routed_gate_up(expert_config(64, 24, 2, 16), arch),
                    Catch::Contains("24 columns") && Catch::Contains("fractals of 16"));
  CHECK_THROWS_WITH(kernels::quant_rows("wide", 4, 16384, arch),
                    Catch::Contains("wide") && Catch::Contains("columns of x") && Catch::Contains("16384"));
}

TEST_CASE("a tensor that is too short for its rows is refused by name, whichever cores find it at once", "[experts]") {
  const LayerConfig cfg = expert_config(256, 64, 4, 16);
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  test::KernelBench bench;
  bench.bind("count", std::vector<std::int32_t>{16, 16, 16, 16});
  bench.bind("h_i8", std::vector<std::int8_t>(std::size_t{cfg.recv_rows()} * cfg.moe_inter));
  bench.bind("h_scale", std::vector<float>(cfg.recv_rows()));
  bench.bind("h", std::vector<float>(8));  // last: what lies behind it is nobody's, however far
  CHECK_THROWS_WITH(bench.run(kernels::routed_quant(cfg, arch)), Catch::Contains("'h'"));
}

}  // namespace
}  // namespace npu
