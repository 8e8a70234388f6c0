// The three kernels of a compressor, each fed with what the untiled reference makes of the stage before it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <numeric>
#include <optional>

#include "isa/errors.hpp"
#include "isa/verifier.hpp"
#include "kernels/attention/compressed_row_write.hpp"
#include "kernels/attention/compressor_pool.hpp"
#include "kernels/attention/compressor_scatter.hpp"
#include "kernels/reference/compressor.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/kernels/attention_values.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using isa::DType;
using kernels::AttentionKind;
using kernels::CompressorShape;
using kernels::LayerConfig;
using namespace kernels::reference;
using test::RandomValues;

constexpr std::uint32_t kCachePage = 16;  // compressed rows of a request

/// A step of one compressor: inputs, and what the reference makes of them.
struct Step {
  LayerConfig c;
  CompressorShape shape;
  std::vector<std::int32_t> positions, table;
  std::vector<std::int64_t> state_slots, cache_slots;
  std::vector<float> kv, score, ape, norm_w, state;
  std::vector<Bf16> cos_table, sin_table, cache;

  std::vector<Bf16> x, wkv, wgate, hadamard;
  std::vector<float> state_after, row;
  std::vector<Bf16> cache_after;

  [[nodiscard]] std::size_t state_row(std::size_t request, std::size_t position) const {
    const auto page = static_cast<std::size_t>(table[request * shape.state_pages + position / shape.state_page]);
    return page * shape.state_page + position % shape.state_page;
  }
  /// Position that completes a window in this step of a request, or nothing.
  [[nodiscard]] std::optional<std::size_t> completed(std::size_t request) const {
    for (std::size_t t = request * c.seq; t < (request + 1) * c.seq; ++t)
      if (static_cast<std::uint32_t>(positions[t]) % shape.ratio == shape.ratio - 1)
        return static_cast<std::size_t>(positions[t]);
    return std::nullopt;
  }
  /// As if `position` of the request had never been written.
  void erase(std::size_t request, std::size_t position) {
    const std::size_t o = shape.width();
    float* cells = &state[state_row(request, position) * 2 * o];
    std::fill_n(cells, o, 0.0F);
    std::fill_n(cells + o, o, -std::numeric_limits<float>::infinity());
  }
  void run_reference() {
    const bool at_window = shape.angle == kernels::RowAngle::WindowStart;
    std::vector<std::int32_t> angles;
    for (std::size_t b = 0; b < c.batch; ++b) {
      const auto first = positions[b * c.seq], ratio = static_cast<std::int32_t>(shape.ratio);
      angles.push_back(at_window ? first / ratio * ratio : first);
    }
    const auto cos = rope_rows(cos_table, c.rope_dim, angles), sin = rope_rows(sin_table, c.rope_dim, angles);
    state_after = state;
    cache_after = cache;
    row.resize(std::size_t{c.tokens()} * shape.row_width);
    compressor(c, Numerics::Golden, shape,
               {x, wkv, wgate, ape, norm_w, hadamard, cos, sin, positions, table, state_slots, cache_slots},
               {state_after, cache_after, row});
  }
};

/// A step that starts at `starts[b]`, with shuffled state pages and compressed pages and a state full of history.
Step make_step(LayerConfig c, const CompressorShape& shape, const std::vector<std::int32_t>& starts) {
  RandomValues random{41};
  std::mt19937 shuffler{42};
  Step s;
  s.c = c, s.shape = shape;
  const std::size_t tokens = c.tokens(), o = shape.width(), hidden = c.hidden;
  REQUIRE(starts.size() == c.batch);
  s.table.resize(c.batch * shape.state_pages);
  std::iota(s.table.begin(), s.table.end(), 1);  // page 0 belongs to nobody
  std::shuffle(s.table.begin(), s.table.end(), shuffler);
  std::vector<std::int64_t> cache_pages(c.batch);
  std::iota(cache_pages.begin(), cache_pages.end(), 1);
  std::shuffle(cache_pages.begin(), cache_pages.end(), shuffler);
  for (std::size_t b = 0; b < c.batch; ++b) {
    for (std::uint32_t i = 0; i < c.seq; ++i) {
      const std::int32_t position = starts[b] + static_cast<std::int32_t>(i);
      const auto p = static_cast<std::uint32_t>(position);
      s.positions.push_back(position);
      s.state_slots.push_back(static_cast<std::int64_t>(s.state_row(b, p)));
      // A slot that must not be used where the token completes nothing.
      const bool completes = p % shape.ratio == shape.ratio - 1;
      s.cache_slots.push_back(completes ? cache_pages[b] * kCachePage + p / shape.ratio % kCachePage
                                        : static_cast<std::int64_t>(b) % kCachePage);
    }
  }
  s.x = random.bf16s(tokens * hidden);
  s.wkv = random.bf16s(hidden * o, 0, 0.1F), s.wgate = random.bf16s(hidden * o, 0, 0.3F);
  s.ape = random.floats(shape.ratio * o), s.norm_w = random.floats(shape.row_width, 1, 0.3F);
  s.cos_table = random.bf16s(std::size_t{c.max_positions} * c.rope_dim, 0, 0.7F);
  s.sin_table = random.bf16s(std::size_t{c.max_positions} * c.rope_dim, 0, 0.7F);
  s.state = random.floats((s.table.size() + 1) * shape.state_page * 2 * o, 0, 2);
  s.cache = random.bf16s((c.batch + 1) * kCachePage * shape.row_width);
  const std::vector<float> wide = widen(s.x);
  s.kv.resize(tokens * o), s.score.resize(tokens * o);
  matmul({wide.data(), tokens, hidden}, Matrix<const Bf16>{s.wkv.data(), hidden, o}, {s.kv.data(), tokens, o});
  matmul({wide.data(), tokens, hidden}, Matrix<const Bf16>{s.wgate.data(), hidden, o}, {s.score.data(), tokens, o});
  return s;
}

void check_scatter(Step s) {
  s.run_reference();
  test::KernelBench bench;
  bench.bind("kv", s.kv);
  bench.bind("score", s.score);
  bench.bind("ape", s.ape);
  bench.bind("position_ids", s.positions);
  bench.bind("state_slot_mapping", s.state_slots);
  bench.bind("state", s.state);
  bench.run(kernels::compressor_scatter("scatter", s.c, s.shape, isa::a2a3_arch_spec()));
  CHECK(bench.read<float>("state") == s.state_after);
}

template <class T>
std::vector<T> run_pool(const Step& s, DType out) {
  test::KernelBench bench;
  bench.bind("state", s.state_after);
  bench.bind("state_table", s.table);
  bench.bind("position_ids", s.positions);
  bench.bind("norm_w", s.norm_w);
  bench.bind("freqs_cos", s.cos_table);
  bench.bind("freqs_sin", s.sin_table);
  bench.bind("row", std::vector<T>(s.row.size(), T{0x4321}));
  bench.run(kernels::compressor_pool("pool", s.c, s.shape, isa::a2a3_arch_spec(), out));
  return bench.read<T>("row");
}

void check_pool(Step s) {
  s.run_reference();
  const std::vector<float> row = run_pool<float>(s, DType::F32);
  const test::Closeness close = test::allclose(row, s.row, 2e-6, 5e-6, 0);
  INFO(close.describe());
  CHECK(close.ok);
}

/// Rows in bf16, before the Hadamard product.
void check_inner_pool(Step s) {
  s.hadamard.clear();
  s.run_reference();
  std::vector<Bf16> expected(s.row.size());
  narrow(s.row, expected);
  const std::vector<Bf16> row = run_pool<Bf16>(s, DType::BF16);
  const test::Closeness close = test::allclose(test::as_floats(std::span<const Bf16>{row}),
                                               test::as_floats(std::span<const Bf16>{expected}), 1e-6, 1.0 / 128, 0);
  INFO(close.describe());
  CHECK(close.ok);
  CHECK(close.unequal * 100 <= close.count);
}

void check_write(Step s) {
  s.run_reference();
  test::KernelBench bench;
  bench.bind("row", s.row);
  bench.bind("position_ids", s.positions);
  bench.bind("cache_slot_mapping", s.cache_slots);
  bench.bind("cache", s.cache);
  bench.run(kernels::compressed_row_write("write", s.c, s.shape, isa::a2a3_arch_spec()));
  CHECK(bench.read<Bf16>("cache") == s.cache_after);
}

LayerConfig tiny(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = test::tiny_attention(batch, seq);
  c.index_dim = 32;
  c.max_positions = 512;
  return c;
}

// Windows completed by the second token, the first, none; without and with a predecessor; in later pages.
const std::vector<std::int32_t> kHcaStarts{126, 127, 10, 254, 255, 383, 128, 510};
const std::vector<std::int32_t> kCsaStarts{2, 3, 0, 5, 6, 7, 126, 258};

Step hca_step(std::uint32_t seq) {
  const LayerConfig c = tiny(8, seq);
  return make_step(c, main_compressor(c, AttentionKind::Hca), kHcaStarts);
}
Step csa_step(std::uint32_t seq) {
  const LayerConfig c = tiny(8, seq);
  return make_step(c, main_compressor(c, AttentionKind::Csa), kCsaStarts);
}
Step inner_step(std::uint32_t seq) {
  const LayerConfig c = tiny(8, seq);
  Step s = make_step(c, inner_compressor(c), kCsaStarts);
  s.hadamard = RandomValues{43}.bf16s(std::size_t{c.index_dim} * c.index_dim, 0, 0.2F);
  return s;
}
/// Rows of 512 columns; of csa for more requests than there are vector cores.
Step wide_hca_step() {
  LayerConfig c = tiny(3, 2);
  c.head_dim = 512;
  c.rope_dim = 64;
  return make_step(c, main_compressor(c, AttentionKind::Hca), {126, 383, 254});
}
Step wide_csa_step() {
  LayerConfig c = tiny(53, 2);
  c.head_dim = 512;
  c.rope_dim = 64;
  c.c4_max_blocks = 14;
  std::vector<std::int32_t> starts(c.batch);
  std::iota(starts.begin(), starts.end(), 0);
  return make_step(c, main_compressor(c, AttentionKind::Csa), starts);
}

TEST_CASE("the step's tokens of an hca compressor reach their state rows", "[compressor]") {
  check_scatter(hca_step(2));
}
TEST_CASE("the step's tokens of a csa compressor reach their state rows", "[compressor]") {
  check_scatter(csa_step(1));
}
TEST_CASE("more wide tokens than vector cores reach their state rows", "[compressor]") {
  check_scatter(wide_csa_step());
}
TEST_CASE("of two tokens with one state slot the later one stays, and a negative slot is not written", "[compressor]") {
  Step s = csa_step(2);
  s.state_slots[5] = s.state_slots[4];
  s.state_slots[7] = -1;
  check_scatter(s);
}

TEST_CASE("an hca window of 128 positions is pooled over its pages", "[compressor]") { check_pool(hca_step(2)); }
TEST_CASE("with one token per step only that token completes an hca window", "[compressor]") {
  check_pool(hca_step(1));
}
TEST_CASE("a csa window is pooled with the window before it, if there is one", "[compressor]") {
  check_pool(csa_step(2));
}
TEST_CASE("with one token per step only that token completes a csa window", "[compressor]") { check_pool(csa_step(1)); }
TEST_CASE("an hca window of full-size rows is pooled", "[compressor]") { check_pool(wide_hca_step()); }
TEST_CASE("csa windows of full-size rows of more requests than vector cores are pooled", "[compressor]") {
  check_pool(wide_csa_step());
}
TEST_CASE("state rows that were never written have no weight", "[compressor]") {
  Step csa = csa_step(2);
  for (std::size_t b = 0; b < csa.c.batch; ++b)
    for (const std::size_t back : {0U, 2U, 3U, 4U, 5U, 6U, 7U})
      if (const auto end = csa.completed(b); end && *end >= back) csa.erase(b, *end - back);
  check_pool(csa);
}
TEST_CASE("an hca window whose first pages were never written starts where the state does", "[compressor]") {
  Step hca = hca_step(2);
  for (std::size_t b = 0; b < hca.c.batch; ++b)
    for (std::size_t back = 1; back < 128; ++back)
      if (const auto end = hca.completed(b); end && back != 5 && back != 77) hca.erase(b, *end - back);
  check_pool(hca);
}
TEST_CASE("windows and state pages need not be multiples of each other", "[compressor]") {
  Step s = csa_step(2);
  CompressorShape shape = s.shape;
  shape.state_page = 6, shape.state_pages = 44;
  check_pool(make_step(s.c, shape, kCsaStarts));
}
TEST_CASE("a state page that is too wide for one load is folded in parts", "[compressor]") {
  LayerConfig c = tiny(2, 2);
  c.head_dim = 512;
  CompressorShape shape = main_compressor(c, AttentionKind::Hca);
  shape.state_page = 64, shape.state_pages = 4;
  check_pool(make_step(c, shape, {126, 255}));
}
TEST_CASE("rows of the inner compressor are rotated by the step's first position and rounded", "[compressor]") {
  check_inner_pool(inner_step(2));
}
TEST_CASE("rows of the inner compressor with one token per step", "[compressor]") { check_inner_pool(inner_step(1)); }

TEST_CASE("a completed hca row is written to the slot of the token that completes it", "[compressor]") {
  check_write(hca_step(2));
}
TEST_CASE("a completed csa row with a negative slot is not written", "[compressor]") {
  Step s = csa_step(2);
  s.cache_slots[2] = -1;  // position 3, which completes the second request's window
  check_write(s);
}
TEST_CASE("inner rows are written after the Hadamard product", "[compressor]") { check_write(inner_step(2)); }
TEST_CASE("full-size rows of more requests than vector cores are written", "[compressor]") {
  check_write(wide_csa_step());
}

TEST_CASE("steps of state rows fit the unified buffer at any width and page", "[compressor]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  LayerConfig c = tiny(64, 4);
  for (const std::uint32_t width : {16U, 40U, 512U, 1024U, 2048U}) {
    for (const std::uint32_t page : {1U, 3U, 8U, 12U, 128U, 256U}) {
      c.head_dim = width, c.c128_page = page;
      CAPTURE(width, page);
      const CompressorShape shape = main_compressor(c, AttentionKind::Hca);
      CHECK_NOTHROW(isa::require_legal(kernels::compressor_pool("pool", c, shape, arch, DType::F32).object, arch));
    }
  }
}
TEST_CASE("compressed rows whose rotated columns do not start on a 32-byte block are refused", "[compressor]") {
  LayerConfig c = tiny(1, 1);
  c.rope_dim = 18;
  CHECK_THROWS_AS(kernels::compressor_pool("pool", c, inner_compressor(c), isa::a2a3_arch_spec(), DType::BF16),
                  ConfigError);
}

}  // namespace
}  // namespace npu
