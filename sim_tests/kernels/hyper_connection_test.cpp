// The hyper-connection kernels against the untiled references, device numerics.
#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/hyper_connection/hc_head.hpp"
#include "kernels/hyper_connection/hc_post.hpp"
#include "kernels/hyper_connection/hc_pre.hpp"
#include "kernels/reference/hyper_connection.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/kernel_data.hpp"

namespace npu {
namespace {

using isa::Bf16;
using test::as_floats;

void check_close(const std::vector<float>& actual, const std::vector<float>& expected, double atol, double rtol) {
  const auto result = test::allclose(actual, expected, atol, rtol, 0.0);
  INFO(result.describe());
  CHECK(result.ok);
}

void check_hc_pre(const kernels::LayerConfig& cfg) {
  const std::size_t tokens = cfg.tokens(), d = cfg.hidden, m = cfg.hc_mult, width = cfg.mix_width();
  const auto x = test::random_bf16(tokens * m * d, 1);
  const auto fn = test::random_floats(width * m * d, 2, 0.02F), base = test::random_floats(width, 3, 0.3F);
  const std::vector<float> scale{0.7F, -1.3F, 0.9F};
  std::vector<Bf16> x_mixed(tokens * d);
  std::vector<float> post(tokens * m), comb(tokens * m * m);
  kernels::reference::hc_pre(cfg, kernels::reference::Numerics::Device, {x, fn, scale, base}, {x_mixed, post, comb});

  test::KernelBench bench;
  bench.bind("x", x);
  bench.bind("fn", fn);
  bench.bind("scale", scale);
  bench.bind("base", base);
  bench.bind("x_mixed", std::vector<Bf16>(x_mixed.size()));
  bench.bind("post", std::vector<float>(post.size()));
  bench.bind("comb", std::vector<float>(comb.size()));
  bench.run(kernels::hc_pre(cfg, isa::a2a3_arch_spec()));
  check_close(as_floats<Bf16>(bench.read<Bf16>("x_mixed")), as_floats<Bf16>(x_mixed), 1e-4, 1.0 / 128);
  check_close(bench.read<float>("post"), post, 2.5e-5, 5e-3);
  check_close(bench.read<float>("comb"), comb, 2.5e-5, 5e-3);
}

void check_hc_head(const kernels::LayerConfig& cfg) {
  const std::size_t tokens = cfg.tokens(), d = cfg.hidden, m = cfg.hc_mult;
  const auto x = test::random_bf16(tokens * m * d, 1);
  const auto fn = test::random_floats(m * m * d, 2, 0.02F), base = test::random_floats(m, 3, 0.8F);
  const std::vector<float> scale{-1.3F};
  std::vector<Bf16> x_head(tokens * d);
  kernels::reference::hc_head(cfg, kernels::reference::Numerics::Device, {x, fn, scale, base}, x_head);

  test::KernelBench bench;
  bench.bind("x", x);
  bench.bind("fn", fn);
  bench.bind("scale", scale);
  bench.bind("base", base);
  bench.bind("x_head", std::vector<Bf16>(x_head.size()));
  bench.run(kernels::hc_head(cfg, isa::a2a3_arch_spec()));
  check_close(as_floats<Bf16>(bench.read<Bf16>("x_head")), as_floats<Bf16>(x_head), 1e-4, 1.0 / 128);
}

/// One token whose factors can be computed by hand: a zero projection leaves sigmoid(base) + eps.
TEST_CASE("hc_head of a token without projection weighs the stack by its biases", "[hc]") {
  kernels::LayerConfig cfg = test::tiny_layer(1);
  const std::size_t d = cfg.hidden, m = cfg.hc_mult;
  REQUIRE(m == 4);
  std::vector<Bf16> x(m * d), expected(d);
  for (std::size_t h = 0; h < m; ++h) {
    for (std::size_t i = 0; i < d; ++i) x[h * d + i] = isa::to_bf16(static_cast<float>(1U << h));
  }
  const std::vector<float> fn(m * m * d), scale{3.0F};
  const std::vector<float> base{0.0F, 200.0F, -200.0F, 200.0F};  // 0.5, 1, 0, 1
  std::fill(expected.begin(), expected.end(), isa::to_bf16(0.5F * 1.0F + 2.0F + 8.0F));
  for (const auto numerics : {kernels::reference::Numerics::Device, kernels::reference::Numerics::Golden}) {
    std::vector<Bf16> out(d);
    kernels::reference::hc_head(cfg, numerics, {x, fn, scale, base}, out);
    CHECK(out == expected);
  }
}

void check_hc_post(const kernels::LayerConfig& cfg) {
  const std::size_t tokens = cfg.tokens(), d = cfg.hidden, m = cfg.hc_mult;
  const auto y = test::random_bf16(tokens * d, 1, 2.0F), x = test::random_bf16(tokens * m * d, 2);
  const auto post = test::random_floats(tokens * m, 3), comb = test::random_floats(tokens * m * m, 4);
  std::vector<Bf16> out(x.size());
  kernels::reference::hc_post(cfg, {y, x, post, comb}, out);

  test::KernelBench bench;
  bench.bind("y", y);
  bench.bind("x", x);
  bench.bind("post", post);
  bench.bind("comb", comb);
  bench.bind("out", std::vector<Bf16>(out.size()));
  bench.run(kernels::hc_post(cfg, isa::a2a3_arch_spec()));
  CHECK(bench.read<Bf16>("out") == out);  // the same operations in the same order
}

TEST_CASE("hc_pre of a tiny batch equals the reference", "[hc]") { check_hc_pre(test::tiny_layer(16)); }
TEST_CASE("hc_pre of five tokens leaves one vector core of each cluster without work", "[hc]") {
  check_hc_pre(test::tiny_layer(5));
}
TEST_CASE("hc_pre gives the vector cores of the last block uneven shares", "[hc]") {
  check_hc_pre(test::tiny_layer(97));
}
TEST_CASE("hc_pre runs more row groups than the card has clusters", "[hc]") { check_hc_pre(test::tiny_layer(400)); }
TEST_CASE("hc_pre walks a stack that is no multiple of its chunk", "[hc]") {
  kernels::LayerConfig cfg = test::tiny_layer(17);
  cfg.hidden = 2720;
  check_hc_pre(cfg);
}
TEST_CASE("hc_pre mixes a stack of three rows", "[hc]") {
  kernels::LayerConfig cfg = test::tiny_layer(7);
  cfg.hc_mult = 3;
  check_hc_pre(cfg);
}
TEST_CASE("hc_head of a tiny batch equals the reference", "[hc]") { check_hc_head(test::tiny_layer(16)); }
TEST_CASE("hc_head of one token equals the reference", "[hc]") { check_hc_head(test::tiny_layer(1)); }
TEST_CASE("hc_head of an uneven number of tokens equals the reference", "[hc]") { check_hc_head(test::tiny_layer(97)); }
TEST_CASE("hc_head runs more row groups than the card has clusters", "[hc]") { check_hc_head(test::tiny_layer(401)); }
TEST_CASE("hc_head walks a stack of five rows that is no multiple of its chunk", "[hc]") {
  kernels::LayerConfig cfg = test::tiny_layer(17);
  cfg.hc_mult = 5;
  cfg.hidden = 2720;
  check_hc_head(cfg);
}
TEST_CASE("hc_post of a tiny batch equals the reference bit by bit", "[hc]") { check_hc_post(test::tiny_layer(16)); }
TEST_CASE("hc_post of several rows per core equals the reference bit by bit", "[hc]") {
  check_hc_post(test::tiny_layer(48 * 9 + 5));
}
TEST_CASE("hc_post walks rows that are no multiple of its chunk", "[hc]") {
  kernels::LayerConfig cfg = test::tiny_layer(5);
  cfg.hidden = 7168;
  check_hc_post(cfg);
}

}  // namespace
}  // namespace npu
