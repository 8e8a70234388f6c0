// Query latent, query heads and KV row against the untiled references in the device's rounding.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "isa/errors.hpp"
#include "kernels/attention/kv_row.hpp"
#include "kernels/attention/q_heads.hpp"
#include "kernels/attention/q_latent.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/projections.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/kernels/attention_values.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using kernels::LayerConfig;
using namespace kernels::reference;
using test::RandomValues;

template <class T>
std::vector<float> floats_of(const std::vector<T>& values) {
  return test::as_floats(std::span<const T>{values});
}

/// Rows that two correct implementations may round differently (decode-layer.md S15), and hardly ever do.
void check_rows(const std::vector<Bf16>& actual, const std::vector<Bf16>& expected) {
  const auto a = floats_of(actual), e = floats_of(expected);
  const test::Closeness close = test::allclose(a, e, 1e-4, 1.0 / 128, 0.005);
  INFO(close.describe());
  CHECK(close.ok);
  CHECK(close.unequal * 100 <= close.count);
}

void check_q_latent(const LayerConfig& c) {
  RandomValues random{11};
  const std::size_t tokens = c.tokens(), hidden = c.hidden, latent = c.q_lora;
  const auto x = random.bf16s(tokens * hidden), wq_a = random.bf16s(hidden * latent, 0, 0.1F);
  const auto gamma = random.bf16s(latent, 1, 0.3F);
  std::vector<float> a(tokens * latent);
  const std::vector<float> wide = widen(x);
  matmul({wide.data(), tokens, hidden}, Matrix<const Bf16>{wq_a.data(), hidden, latent}, {a.data(), tokens, latent});
  std::vector<std::int8_t> expected(tokens * latent);
  std::vector<float> expected_scale(tokens);
  q_latent(c, {x, wq_a, gamma}, {expected, expected_scale});

  test::KernelBench bench;
  bench.bind("a", a);
  bench.bind("gamma", gamma);
  bench.bind("qr", std::vector<std::int8_t>(tokens * latent));
  bench.bind("qr_scale", std::vector<float>(tokens));
  bench.run(kernels::q_latent(c, isa::a2a3_arch_spec()));
  const auto qr = bench.read<std::int8_t>("qr");
  std::size_t unequal = 0;
  int worst = 0;
  for (std::size_t i = 0; i < qr.size(); ++i) {
    unequal += qr[i] != expected[i] ? 1U : 0U;
    worst = std::max(worst, std::abs(qr[i] - expected[i]));
  }
  CHECK(worst <= 1);
  CHECK(unequal * 100 <= qr.size());
  CHECK(test::allclose(bench.read<float>("qr_scale"), expected_scale, 2.5e-5, 5e-3, 0).ok);
}

TEST_CASE("the query latent of a tiny layer is normed and quantised like the reference", "[projections]") {
  check_q_latent(test::tiny_attention(8, 2));
}
TEST_CASE("the query latent of 131 tokens leaves a short last step", "[projections]") {
  LayerConfig c = test::tiny_attention(131, 1);
  c.q_lora = 96;
  check_q_latent(c);
}

struct Angles {
  std::vector<std::int32_t> positions;
  std::vector<Bf16> cos_table, sin_table, cos, sin;
};

Angles make_angles(const LayerConfig& c, RandomValues& random) {
  Angles a;
  a.positions = random.integers<std::int32_t>(c.tokens(), 0, static_cast<std::int32_t>(c.max_positions) - 1);
  a.positions.back() = static_cast<std::int32_t>(c.max_positions) - 1;
  const std::size_t size = std::size_t{c.max_positions} * c.rope_dim;
  a.cos_table = random.bf16s(size, 0, 0.7F);
  a.sin_table = random.bf16s(size, 0, 0.7F);
  a.cos = rope_rows(a.cos_table, c.rope_dim, a.positions);
  a.sin = rope_rows(a.sin_table, c.rope_dim, a.positions);
  return a;
}

void bind_angles(test::KernelBench& bench, const Angles& a) {
  bench.bind("position_ids", a.positions);
  bench.bind("freqs_cos", a.cos_table);
  bench.bind("freqs_sin", a.sin_table);
}

void check_q_heads(const LayerConfig& c) {
  RandomValues random{12};
  const std::size_t tokens = c.tokens(), latent = c.q_lora, width = std::size_t{c.heads} * c.head_dim;
  const auto qr = random.integers<std::int8_t>(tokens * latent, -127, 127);
  const auto wq_b = random.integers<std::int8_t>(latent * width, -127, 127);
  const auto qr_scale = random.floats(tokens, 0.01F, 0.002F), wq_b_scale = random.floats(width, 0.001F, 0.0002F);
  const Angles angles = make_angles(c, random);
  std::vector<std::int32_t> acc(tokens * width);
  matmul({qr.data(), tokens, latent}, Matrix<const std::int8_t>{wq_b.data(), latent, width},
         {acc.data(), tokens, width});
  std::vector<float> u(acc.size());
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = dequantise(acc[i], qr_scale[i / width], wq_b_scale[i % width]);
  std::vector<Bf16> expected(u.size());
  q_heads(c, Numerics::Device, {qr, qr_scale, wq_b, wq_b_scale, angles.cos, angles.sin}, expected);

  test::KernelBench bench;
  bench.bind("u", u);
  bind_angles(bench, angles);
  bench.bind("q", std::vector<Bf16>(u.size()));
  bench.run(kernels::q_heads(c, isa::a2a3_arch_spec()));
  check_rows(bench.read<Bf16>("q"), expected);
}

TEST_CASE("query heads of a tiny layer are rotated, then normed", "[projections]") {
  check_q_heads(test::tiny_attention(8, 2));
}
TEST_CASE("query heads of 17 tokens with 23 wide heads take several steps a token", "[projections]") {
  LayerConfig c = test::tiny_attention(17, 1);
  c.heads = 23;
  c.head_dim = 512;
  c.rope_dim = 64;
  c.q_lora = 32;
  check_q_heads(c);
}

void check_kv_row(const LayerConfig& c) {
  RandomValues random{13};
  const std::size_t tokens = c.tokens(), hidden = c.hidden, dim = c.head_dim;
  const auto x = random.bf16s(tokens * hidden), wkv = random.bf16s(hidden * dim, 0, 0.1F);
  const auto gamma = random.bf16s(dim, 1, 0.3F);
  const Angles angles = make_angles(c, random);
  std::vector<float> k(tokens * dim);
  const std::vector<float> wide = widen(x);
  matmul({wide.data(), tokens, hidden}, Matrix<const Bf16>{wkv.data(), hidden, dim}, {k.data(), tokens, dim});
  std::vector<Bf16> expected(tokens * dim);
  kv_row(c, {x, wkv, gamma, angles.cos, angles.sin}, expected);

  test::KernelBench bench;
  bench.bind("k", k);
  bench.bind("gamma", gamma);
  bind_angles(bench, angles);
  bench.bind("kv", std::vector<Bf16>(tokens * dim));
  bench.run(kernels::kv_row(c, isa::a2a3_arch_spec()));
  check_rows(bench.read<Bf16>("kv"), expected);
}

TEST_CASE("KV rows of a tiny layer are normed, then rotated", "[projections]") {
  check_kv_row(test::tiny_attention(8, 2));
}
TEST_CASE("KV rows of 61 tokens and odd width are normed, then rotated", "[projections]") {
  LayerConfig c = test::tiny_attention(61, 1);
  c.head_dim = 72;
  c.rope_dim = 24;
  check_kv_row(c);
}

TEST_CASE("rotated columns that do not start on a 32-byte block are refused", "[projections]") {
  LayerConfig c = test::tiny_attention(1, 1);
  c.rope_dim = 18;
  CHECK_THROWS_AS(kernels::q_heads(c, isa::a2a3_arch_spec()), ConfigError);
  CHECK_THROWS_AS(kernels::kv_row(c, isa::a2a3_arch_spec()), ConfigError);
}

}  // namespace
}  // namespace npu
