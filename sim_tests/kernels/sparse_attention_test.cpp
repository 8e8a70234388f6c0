// Sparse attention against the untiled reference with the same rounding, on random inputs.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "isa/errors.hpp"
#include "kernels/attention/sparse_attention.hpp"
#include "kernels/reference/attention.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;

kernels::LayerConfig tiny(std::uint32_t batch = 8, std::uint32_t seq = 2) {
  kernels::LayerConfig c;
  c.batch = batch;
  c.seq = seq;
  c.heads = 4;
  c.head_dim = 32;
  c.rope_dim = 16;
  c.window = c.page = 16;
  c.softmax_block = 8;
  c.cmp_max_blocks = 3;
  c.max_positions = 64;
  return c;
}

/// Random tensors of one call; tables permute the pages of their pools.
struct Case {
  kernels::LayerConfig cfg;
  std::uint32_t width;
  std::mt19937 generator;
  std::vector<Bf16> q, ring, kv, compressed, cos, sin;
  std::vector<std::int32_t> ring_table, compressed_table, indices, positions;
  std::vector<float> sink;

  Case(const kernels::LayerConfig& config, std::uint32_t list_width, unsigned seed)
      : cfg{config}, width{list_width}, generator{seed} {
    const std::size_t tokens = cfg.tokens(), dim = cfg.head_dim;
    q = normal(tokens * cfg.heads * dim, 1.0F);
    ring = normal(std::size_t{cfg.batch} * cfg.page * dim, 1.0F);
    kv = normal(tokens * dim, 1.0F);
    compressed = normal(std::size_t{cfg.batch} * cfg.cmp_max_blocks * cfg.page * dim, 1.0F);
    cos = normal(std::size_t{cfg.max_positions} * cfg.rope_dim, 0.7F);
    sin = normal(cos.size(), 0.7F);
    ring_table = permutation(cfg.batch);
    compressed_table = permutation(cfg.batch * cfg.cmp_max_blocks);
    for (std::size_t t = 0; t < tokens; ++t) positions.push_back(below(cfg.max_positions));
    for (std::size_t h = 0; h < cfg.heads; ++h) sink.push_back(number(1.0F));
    indices.assign(tokens * width, -1);
  }
  float number(float deviation) { return std::normal_distribution<float>{0.0F, deviation}(generator); }
  std::int32_t below(std::uint32_t limit) { return static_cast<std::int32_t>(generator() % limit); }
  std::vector<Bf16> normal(std::size_t n, float deviation) {
    std::vector<Bf16> v;
    v.reserve(n);
    for (std::size_t i = 0; i < n; ++i) v.push_back(isa::to_bf16(number(deviation)));
    return v;
  }
  std::vector<std::int32_t> permutation(std::uint32_t n) {
    std::vector<std::int32_t> v(n);
    std::iota(v.begin(), v.end(), 0);
    std::shuffle(v.begin(), v.end(), generator);
    return v;
  }
  std::int32_t& index(std::size_t t, std::size_t column) { return indices[t * width + column]; }

  /// Every token sees its whole window: the ring from the slot after its own, the overlay in the place of this step.
  void fill_window() {
    for (std::uint32_t t = 0; t < cfg.tokens(); ++t) {
      const std::uint32_t own = static_cast<std::uint32_t>(positions[t]) % cfg.window, seq = t % cfg.seq;
      for (std::uint32_t k = 0; k < cfg.window; ++k)
        index(t, k) = static_cast<std::int32_t>((own + 1 + k) % cfg.window);
      for (std::uint32_t s = 0; s <= seq; ++s)
        index(t, cfg.window - 1 - seq + s) = static_cast<std::int32_t>(cfg.window + s);
    }
  }
  /// Codes of all kinds in any order; about one in `holes` is -1.
  void fill_random(std::uint32_t holes) {
    const std::uint32_t codes = cfg.window + cfg.seq + cfg.cmp_max_blocks * cfg.page;
    for (std::int32_t& code : indices) code = below(holes) == 0 ? -1 : below(codes);
  }

  [[nodiscard]] std::vector<float> expected() const {
    const auto cos_rows = kernels::reference::rope_rows(cos, cfg.rope_dim, positions);
    const auto sin_rows = kernels::reference::rope_rows(sin, cfg.rope_dim, positions);
    std::vector<Bf16> o(q.size());
    kernels::reference::sparse_attention(cfg,
                                         {.q = q,
                                          .ring = ring,
                                          .ring_table = ring_table,
                                          .kv = kv,
                                          .cmp_kv = compressed,
                                          .cmp_table = compressed_table,
                                          .indices = indices,
                                          .sink = sink,
                                          .cos = cos_rows,
                                          .sin = sin_rows},
                                         o);
    return test::as_floats(std::span<const Bf16>{o});
  }
  [[nodiscard]] std::vector<float> simulated(test::KernelBench& bench) const {
    const auto kernel = kernels::sparse_attention(cfg, isa::a2a3_arch_spec(), width);
    bench.bind("q", q);
    bench.bind("kv_cache", ring);
    bench.bind("block_table", ring_table);
    bench.bind("kv", kv);
    bench.bind("cmp_kv", compressed);
    bench.bind("cmp_block_table", compressed_table);
    bench.bind("sparse_indices", indices);
    bench.bind("attn_sink", sink);
    bench.bind("position_ids", positions);
    bench.bind("freqs_cos", cos);
    bench.bind("freqs_sin", sin);
    bench.bind("o", std::vector<Bf16>(q.size(), isa::to_bf16(NAN)));
    bench.run(kernel);
    const auto o = bench.read<Bf16>("o");
    return test::as_floats(std::span<const Bf16>{o});
  }
};

void check(const Case& c) {
  test::KernelBench bench;
  const test::Closeness close = test::allclose(c.simulated(bench), c.expected(), 1e-4, 1.0 / 128, 0.005);
  INFO(close.describe());
  CHECK(close.ok);
}

TEST_CASE("window attention over full windows agrees with the reference", "[attention]") {
  Case c{tiny(), 16, 1};
  c.fill_window();
  check(c);
}

TEST_CASE("window attention masks the holes of short windows", "[attention]") {
  Case c{tiny(), 16, 2};
  c.fill_window();
  for (std::uint32_t t = 0; t < c.cfg.tokens(); ++t)
    for (std::uint32_t k = t % 15 + 1; k < c.width; ++k) c.index(t, k) = -1;
  check(c);
}

TEST_CASE("an empty list gives exactly zero and disturbs no other token", "[attention]") {
  Case c{tiny(), 24, 3};
  c.fill_random(4);
  const std::size_t row = std::size_t{c.cfg.heads} * c.cfg.head_dim;
  for (const std::size_t t : {std::size_t{0}, std::size_t{5}, std::size_t{15}})
    std::fill_n(&c.index(t, 0), c.width, -1);
  test::KernelBench bench;
  const std::vector<float> o = c.simulated(bench);
  for (const std::size_t t : {std::size_t{0}, std::size_t{5}, std::size_t{15}})
    CHECK(std::all_of(&o[t * row], &o[t * row] + row, [](float x) { return x == 0.0F; }));
  const test::Closeness close = test::allclose(o, c.expected(), 1e-4, 1.0 / 128, 0.005);
  INFO(close.describe());
  CHECK(close.ok);
}

TEST_CASE("empty softmax blocks before, between and after full ones vanish", "[attention]") {
  Case c{tiny(), 32, 4};
  c.fill_random(1000);
  for (std::uint32_t t = 0; t < c.cfg.tokens(); ++t)
    for (std::uint32_t k = 0; k < c.width; ++k)
      if ((t >> (k / 8) & 1U) == 0) c.index(t, k) = -1;
  check(c);
}

TEST_CASE("lists with ring, overlay and compressed rows in any order agree with the reference", "[attention]") {
  Case c{tiny(), 20, 5};  // the last softmax block has four columns
  c.fill_random(5);
  check(c);
}

TEST_CASE("more tokens than clusters and an odd number of softmax blocks agree with the reference", "[attention]") {
  Case c{tiny(53, 1), 40, 6};
  c.fill_random(7);
  check(c);
}

TEST_CASE("runs of neighbouring compressed rows across pages agree with the reference", "[attention]") {
  Case c{tiny(3, 3), 48, 7};
  for (std::uint32_t t = 0; t < c.cfg.tokens(); ++t)
    for (std::uint32_t k = 0; k < c.width; ++k) c.index(t, k) = static_cast<std::int32_t>(c.cfg.window + c.cfg.seq + k);
  check(c);
}

TEST_CASE("heads in several groups and head dimensions in several chunks agree with the reference", "[attention]") {
  kernels::LayerConfig cfg = tiny(2, 2);
  cfg.heads = 64;
  cfg.head_dim = 512;
  cfg.rope_dim = 64;
  cfg.window = cfg.page = cfg.softmax_block = 128;
  Case c{cfg, 192, 8};
  c.fill_random(9);
  check(c);
}

TEST_CASE("128 heads fit and agree with the reference", "[attention]") {
  kernels::LayerConfig cfg = tiny(1, 2);
  cfg.heads = 128;
  cfg.head_dim = 512;
  cfg.rope_dim = 64;
  cfg.window = cfg.page = cfg.softmax_block = 128;
  Case c{cfg, 136, 9};
  c.fill_random(9);
  check(c);
}

TEST_CASE("a list of 640 over five softmax blocks of 128 agrees with the reference", "[attention]") {
  kernels::LayerConfig cfg = tiny(3, 1);
  cfg.heads = 32;
  cfg.head_dim = 128;
  cfg.rope_dim = 32;
  cfg.window = cfg.page = cfg.softmax_block = 128;
  cfg.cmp_max_blocks = 5;
  Case c{cfg, 640, 10};
  c.fill_random(6);
  check(c);
}

TEST_CASE("a single token with a list of one row agrees with the reference", "[attention]") {
  Case c{tiny(1, 1), 1, 11};
  c.index(0, 0) = static_cast<std::int32_t>(c.cfg.window);
  check(c);
}

TEST_CASE("sparse attention is legal for all list widths of both models", "[attention]") {
  for (const std::uint32_t heads : {64U, 128U}) {
    kernels::LayerConfig cfg;
    cfg.heads = heads;
    for (const std::uint32_t width : {128U, 192U, 640U})
      CHECK(kernels::sparse_attention(cfg, isa::a2a3_arch_spec(), width).object.blocks == 24);
  }
}

TEST_CASE("a window larger than a page is refused", "[attention]") {
  kernels::LayerConfig cfg = tiny();
  cfg.page = 8;
  CHECK_THROWS_AS(kernels::sparse_attention(cfg, isa::a2a3_arch_spec(), 16), ProgramError);
}

}  // namespace
}  // namespace npu
