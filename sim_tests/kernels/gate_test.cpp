// The router kernel against plain loops over the same logits.
#include "kernels/moe/gate.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "isa/errors.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/kernel_data.hpp"

namespace npu {
namespace {

struct GateCase {
  std::vector<float> logits, bias;
  std::vector<std::int32_t> table;  ///< [V, KE]
  std::vector<std::int64_t> ids;    ///< [T]
};

GateCase gate_case(const kernels::LayerConfig& cfg) {
  GateCase c{test::random_floats(std::size_t{cfg.tokens()} * cfg.experts, 1), test::random_floats(cfg.experts, 2, 0.4F),
             std::vector<std::int32_t>(std::size_t{cfg.vocab} * cfg.top_k), std::vector<std::int64_t>(cfg.tokens())};
  std::mt19937 generator{3};
  for (auto& e : c.table) e = static_cast<std::int32_t>(generator() % cfg.experts);
  for (auto& id : c.ids) id = static_cast<std::int64_t>(generator() % cfg.vocab);
  return c;
}

struct Routes {
  std::vector<std::int32_t> indices;
  std::vector<float> weights;
};

Routes expected_routes(const kernels::LayerConfig& cfg, const GateCase& c) {
  const std::size_t experts = cfg.experts, top = cfg.top_k;
  Routes routes;
  for (std::size_t t = 0; t < cfg.tokens(); ++t) {
    std::vector<float> score(experts);
    for (std::size_t e = 0; e < experts; ++e) {
      const float z = c.logits[t * experts + e];
      score[e] = std::sqrt(std::max(z, 0.0F) + isa::log_f32(isa::exp_f32(-std::fabs(z)) + 1.0F));
    }
    std::vector<std::int32_t> order(experts);
    std::iota(order.begin(), order.end(), 0);
    const auto biased = [&](std::int32_t e) {
      return score[static_cast<std::size_t>(e)] + c.bias[static_cast<std::size_t>(e)];
    };
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return biased(a) > biased(b); });
    if (cfg.hash_routing()) {
      const auto row = static_cast<std::size_t>(c.ids[t]) * top;
      order.assign(c.table.begin() + static_cast<std::ptrdiff_t>(row),
                   c.table.begin() + static_cast<std::ptrdiff_t>(row + top));
    }
    order.resize(top);
    float sum = 0;
    for (const auto e : order) sum += score[static_cast<std::size_t>(e)];
    for (const auto e : order) {
      routes.indices.push_back(e);
      routes.weights.push_back(score[static_cast<std::size_t>(e)] / sum * cfg.route_scale);
    }
  }
  return routes;
}

Routes run_gate(const kernels::LayerConfig& cfg, const GateCase& c) {
  test::KernelBench bench;
  bench.bind("logits", c.logits);
  bench.bind("gate_bias", c.bias);
  bench.bind("tid2eid", c.table);
  bench.bind("input_ids", c.ids);
  bench.bind("indices", std::vector<std::int32_t>(cfg.routes(), -1));
  bench.bind("weights", std::vector<float>(cfg.routes()));
  bench.run(kernels::gate_route(cfg, isa::a2a3_arch_spec()));
  return {bench.read<std::int32_t>("indices"), bench.read<float>("weights")};
}

void check_gate(const kernels::LayerConfig& cfg, const GateCase& c) {
  const Routes expected = expected_routes(cfg, c), actual = run_gate(cfg, c);
  CHECK(actual.indices == expected.indices);
  const auto result = test::allclose(actual.weights, expected.weights, 0.0, 1e-6, 0.0);
  INFO(result.describe());
  CHECK(result.ok);
}

kernels::LayerConfig score_layer(std::uint32_t tokens, std::uint32_t experts, std::uint32_t top) {
  kernels::LayerConfig cfg = test::tiny_layer(tokens);
  cfg.layer_id = cfg.hash_layers;
  cfg.experts = experts;
  cfg.top_k = top;
  return cfg;
}

void check_gate(const kernels::LayerConfig& cfg) { check_gate(cfg, gate_case(cfg)); }

TEST_CASE("hash routing reads the experts of each token from the table", "[gate]") { check_gate(test::tiny_layer(17)); }
TEST_CASE("hash routing handles several tokens per core", "[gate]") { check_gate(test::tiny_layer(101)); }
TEST_CASE("score routing picks from fewer experts than one sorted run", "[gate]") { check_gate(score_layer(5, 8, 3)); }
TEST_CASE("score routing merges two runs", "[gate]") { check_gate(score_layer(128, 64, 6)); }
TEST_CASE("score routing merges the experts of the large model in two rounds", "[gate]") {
  check_gate(score_layer(17, 384, 6));
}
TEST_CASE("score routing pads an odd number of experts with ones that sort last", "[gate]") {
  const auto cfg = score_layer(5, 37, 37);
  check_gate(cfg);
}
TEST_CASE("equal scores go to the smaller expert", "[gate]") {
  const auto cfg = score_layer(5, 64, 6);
  GateCase c = gate_case(cfg);
  std::fill(c.bias.begin(), c.bias.end(), 0.0F);
  for (std::size_t i = 0; i < c.logits.size(); ++i) c.logits[i] = static_cast<float>(i % 64 % 3);
  check_gate(cfg, c);
}
TEST_CASE("the bias decides who is chosen but not the weight", "[gate]") {
  const auto cfg = score_layer(1, 8, 1);
  GateCase c = gate_case(cfg);
  c.bias.assign(8, -100.0F);
  c.bias[5] = 0.0F;
  const Routes routes = run_gate(cfg, c);
  CHECK(routes.indices == std::vector<std::int32_t>{5});
  CHECK(routes.weights == std::vector<float>{cfg.route_scale});
}
TEST_CASE("an expert of the table that the model lacks is refused", "[gate]") {
  const auto cfg = test::tiny_layer(5);
  GateCase c = gate_case(cfg);
  std::fill(c.table.begin(), c.table.end(), 8);
  CHECK_THROWS_AS(run_gate(cfg, c), ProgramError);
}

}  // namespace
}  // namespace npu
