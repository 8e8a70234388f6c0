// The norm kernels against the untiled references.
#include "kernels/norm/rms_norm.hpp"

#include <catch2/catch.hpp>

#include "kernels/reference/projections.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/kernel_data.hpp"

namespace npu {
namespace {

using isa::Bf16;
using test::as_floats;

struct Norm {
  std::vector<Bf16> x;
  std::vector<float> w;
  std::vector<Bf16> expected;
};

Norm norm_case(const kernels::LayerConfig& cfg) {
  const std::size_t tokens = cfg.tokens(), d = cfg.hidden;
  Norm c{test::random_bf16(tokens * d, 1, 3.0F), test::random_floats(d, 2), std::vector<Bf16>(tokens * d)};
  kernels::reference::rmsnorm(cfg, c.x, c.w, c.expected);
  return c;
}

void check_close(const std::vector<Bf16>& actual, const std::vector<Bf16>& expected) {
  const auto result = test::allclose(as_floats<Bf16>(actual), as_floats<Bf16>(expected), 1e-4, 1.0 / 128, 0.0);
  INFO(result.describe());
  CHECK(result.ok);
  CHECK(result.unequal <= 1 + result.count / 500);  // the sum's order moves a value to the neighbour now and then
}

void check_rms_norm(const kernels::LayerConfig& cfg) {
  const Norm c = norm_case(cfg);
  test::KernelBench bench;
  bench.bind("x", c.x);
  bench.bind("w", c.w);
  bench.bind("y", std::vector<Bf16>(c.x.size()));
  bench.run(kernels::rms_norm(cfg, isa::a2a3_arch_spec()));
  check_close(bench.read<Bf16>("y"), c.expected);
}

void check_norm_quant(const kernels::LayerConfig& cfg) {
  const Norm c = norm_case(cfg);
  const std::size_t tokens = cfg.tokens(), d = cfg.hidden;
  test::KernelBench bench;
  bench.bind("x", c.x);
  bench.bind("w", c.w);
  bench.bind("x_norm", std::vector<Bf16>(c.x.size()));
  bench.bind("x_norm_f32", std::vector<float>(c.x.size()));
  bench.bind("x_i8", std::vector<std::int8_t>(c.x.size()));
  bench.bind("x_scale", std::vector<float>(tokens));
  bench.run(kernels::norm_quant(cfg, isa::a2a3_arch_spec()));
  const auto x_norm = bench.read<Bf16>("x_norm");
  check_close(x_norm, c.expected);
  // What follows the norm is exact arithmetic on the norm's own result.
  const std::vector<float> wide = kernels::reference::widen(x_norm);
  CHECK(bench.read<float>("x_norm_f32") == wide);
  std::vector<std::int8_t> quantised(wide.size());
  std::vector<float> scale(tokens);
  for (std::size_t t = 0; t < tokens; ++t) {
    scale[t] = kernels::reference::quantise({&wide[t * d], d}, std::span{quantised}.subspan(t * d, d));
  }
  CHECK(bench.read<std::int8_t>("x_i8") == quantised);
  CHECK(bench.read<float>("x_scale") == scale);
}

TEST_CASE("the norm of a full tiny batch equals the reference", "[norm]") { check_rms_norm(test::tiny_layer(16)); }
TEST_CASE("the norm takes several steps per core and a short last one", "[norm]") {
  check_rms_norm(test::tiny_layer(48 * 10 + 3));
}
TEST_CASE("the norm of five rows leaves the other cores idle", "[norm]") { check_rms_norm(test::tiny_layer(5)); }
TEST_CASE("the quantised norm equals the reference at an odd number of rows", "[norm]") {
  check_norm_quant(test::tiny_layer(17));
}
TEST_CASE("the quantised norm takes two rows at a time", "[norm]") { check_norm_quant(test::tiny_layer(97)); }
TEST_CASE("the quantised norm holds a row of the largest model", "[norm]") {
  kernels::LayerConfig cfg = test::tiny_layer(5);
  cfg.hidden = 7168;
  check_norm_quant(cfg);
}
TEST_CASE("a quantised row of zeros has the scale of the smallest maximum", "[norm]") {
  const kernels::LayerConfig cfg = test::tiny_layer(1);
  test::KernelBench bench;
  bench.bind("x", std::vector<Bf16>(cfg.hidden));
  bench.bind("w", std::vector<float>(cfg.hidden, 1.0F));
  bench.bind("x_norm", std::vector<Bf16>(cfg.hidden));
  bench.bind("x_norm_f32", std::vector<float>(cfg.hidden, 1.0F));
  bench.bind("x_i8", std::vector<std::int8_t>(cfg.hidden, 1));
  bench.bind("x_scale", std::vector<float>(1));
  bench.run(kernels::norm_quant(cfg, isa::a2a3_arch_spec()));
  CHECK(bench.read<std::int8_t>("x_i8") == std::vector<std::int8_t>(cfg.hidden, 0));
  CHECK(bench.read<float>("x_scale")[0] == 1.0F / (127.0F / 1e-4F));
}

}  // namespace
}  // namespace npu
