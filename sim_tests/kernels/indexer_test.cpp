// The indexer's kernels against the reference of the whole indexer.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "isa/errors.hpp"
#include "isa/verifier.hpp"
#include "kernels/attention/indexer_query_rope.hpp"
#include "kernels/attention/indexer_score.hpp"
#include "kernels/attention/indexer_topk.hpp"
#include "kernels/reference/indexer.hpp"
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

LayerConfig tiny(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = test::tiny_attention(batch, seq);
  c.max_positions = 512;
  c.index_heads = 16;
  c.index_dim = 32;
  c.index_topk = 8;
  c.idx_max_blocks = 8;
  return c;
}

/// Full width with few requests; an index cache that just holds L positions.
LayerConfig flash(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = test::flash_attention();
  c.batch = batch;
  c.seq = seq;
  c.idx_max_blocks = 16;
  return c;
}

/// What the score kernel reads, and what the reference makes of it.
struct IndexerCase {
  std::vector<std::int8_t> zi;
  std::vector<float> zs, wt;
  std::vector<Bf16> cache;
  std::vector<std::int32_t> table, lengths;
  std::vector<float> score;
  std::vector<std::int32_t> topk;
};

enum class Keys : std::uint8_t { Different, Repeated };

/// Request b has entries[b] entries. The reference's own query path is reduced to z = bf16(dequantised qr x wq_b) by
/// the identity as Hadamard matrix and an angle of zero, its weights to x_normed by the identity as projection.
IndexerCase indexer_case(const LayerConfig& original, const std::vector<std::int32_t>& entries,
                         Keys keys = Keys::Different) {
  LayerConfig c = original;
  c.hidden = c.index_heads;
  c.q_lora = 8;
  RandomValues random{41};
  const std::size_t tokens = c.tokens(), heads = c.index_heads, dim = c.index_dim, width = heads * dim;
  IndexerCase i;
  for (std::size_t b = 0; b < c.batch; ++b)
    i.lengths.push_back(4 * entries[b % entries.size()] + static_cast<int>(b) % 4);
  i.table.resize(std::size_t{c.batch} * c.idx_max_blocks);
  std::iota(i.table.begin(), i.table.end(), 0);
  std::shuffle(i.table.begin(), i.table.end(), std::mt19937{42});
  i.cache = random.bf16s(i.table.size() * c.page * dim);
  if (keys == Keys::Repeated) {  // five different rows
    for (std::size_t row = 5; row < i.table.size() * c.page; ++row)
      std::copy_n(&i.cache[row % 5 * dim], dim, &i.cache[row * dim]);
  }
  std::fill_n(i.cache.begin() + static_cast<std::ptrdiff_t>(dim), dim, isa::to_bf16(0.0F));  // below the clamp of Q

  const auto identity = [](std::size_t n) {
    std::vector<Bf16> m(n * n, isa::to_bf16(0.0F));
    for (std::size_t d = 0; d < n; ++d) m[d * n + d] = isa::to_bf16(1.0F);
    return m;
  };
  const auto qr = random.integers<std::int8_t>(tokens * c.q_lora, -127, 127);
  const auto qr_scale = random.floats(tokens, 0.01F, 0.001F);
  const auto wq_b = random.integers<std::int8_t>(c.q_lora * width, -127, 127);
  const auto wq_b_scale = random.floats(width, 0.01F, 0.001F);
  const auto x_normed = random.bf16s(tokens * heads);
  const std::vector<Bf16> hadamard = identity(dim), projection = identity(heads);
  const std::vector<Bf16> cos(c.batch * c.rope_dim, isa::to_bf16(1.0F)), sin(cos.size(), isa::to_bf16(0.0F));
  i.zi.resize(tokens * width);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t h = 0; h < heads; ++h) {
      std::vector<float> z(dim);
      for (std::size_t d = 0; d < dim; ++d) {
        std::int32_t acc = 0;
        for (std::size_t k = 0; k < c.q_lora; ++k) acc += qr[t * c.q_lora + k] * wq_b[k * width + h * dim + d];
        const float u = dequantise(acc, qr_scale[t], wq_b_scale[h * dim + d]);
        z[d] = d < dim - c.rope_dim ? u : isa::to_float(isa::to_bf16(u));
      }
      i.zs.push_back(quantise(z, {&i.zi[t * width + h * dim], dim}));
    }
  }
  i.wt = widen(x_normed);
  i.score.resize(tokens * c.max_positions / 4);
  i.topk.resize(i.score.size());
  indexer(c, Numerics::Device,
          {x_normed, qr, qr_scale, wq_b, wq_b_scale, projection, hadamard, cos, sin, i.cache, i.table, i.lengths},
          {i.score, i.topk});
  return i;
}

void check_scores(const LayerConfig& c, const std::vector<std::int32_t>& entries) {
  const IndexerCase i = indexer_case(c, entries);
  test::KernelBench bench;
  bench.bind("zi", i.zi);
  bench.bind("zs", i.zs);
  bench.bind("wt", i.wt);
  bench.bind("idx_kv_cache", i.cache);
  bench.bind("idx_block_table", i.table);
  bench.bind("kv_seq_lens", i.lengths);
  bench.bind("score", std::vector<float>(i.score.size()));
  bench.run(kernels::indexer_score(c, isa::a2a3_arch_spec()));
  const auto actual = bench.read<float>("score");
  INFO(bench.task_us() << " us");
  // The terms of a sum have both signs: the error is measured against the largest score, not against each.
  float largest = 0;
  std::size_t missing = 0, wrongly_missing = 0;
  for (std::size_t j = 0; j < actual.size(); ++j) {
    if (i.score[j] == kNoScore) {
      ++missing;
      wrongly_missing += actual[j] == kNoScore ? 0U : 1U;
    } else {
      largest = std::max(largest, std::fabs(i.score[j]));
    }
  }
  CHECK(missing > 0);
  CHECK(wrongly_missing == 0);
  const auto result = test::allclose(actual, i.score, 1e-6 * static_cast<double>(largest), 1e-6, 0.0);
  INFO(result.describe());
  CHECK(result.ok);
}

void check_topk(const LayerConfig& c, const std::vector<std::int32_t>& entries, Keys keys = Keys::Different,
                const isa::ArchSpec& arch = isa::a2a3_arch_spec()) {
  const IndexerCase i = indexer_case(c, entries, keys);
  test::KernelBench bench;
  bench.bind("score", i.score);
  bench.bind("kv_seq_lens", i.lengths);
  bench.bind("topk", std::vector<std::int32_t>(i.topk.size(), 77));
  bench.run(kernels::indexer_topk(c, arch));
  const auto actual = bench.read<std::int32_t>("topk");
  INFO(bench.task_us() << " us");
  CHECK(actual == i.topk);
}

const std::vector<std::int32_t> kTinyEntries{0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 127, 100};
const std::vector<std::int32_t> kFlashEntries{0, 3, 32, 700, 2047};

TEST_CASE("tiny scores are those of the reference for every fill of pages and tiles", "[indexer]") {
  check_scores(tiny(13, 2), kTinyEntries);
}
TEST_CASE("tiny scores of one token a step are those of the reference", "[indexer]") {
  check_scores(tiny(13, 1), kTinyEntries);
}
TEST_CASE("scores of full width are those of the reference", "[indexer]") { check_scores(flash(5, 2), kFlashEntries); }
TEST_CASE("scores of full width and one token a step are those of the reference", "[indexer]") {
  check_scores(flash(3, 1), {130, 0, 257});
}
TEST_CASE("scores of three tokens a step take two row tiles and narrower key tiles", "[indexer]") {
  check_scores(flash(2, 3), {700, 95});
}
TEST_CASE("scores of one long request among empty ones are those of the reference", "[indexer]") {
  LayerConfig c = flash(3, 1);
  check_scores(c, {0, 2047, 0});
}
TEST_CASE("a batch without a single entry has no scores", "[indexer]") { check_scores(tiny(3, 2), {0}); }

TEST_CASE("tiny choices are those of the reference", "[indexer]") { check_topk(tiny(13, 2), kTinyEntries); }
TEST_CASE("choices of one token a step are those of the reference", "[indexer]") {
  check_topk(tiny(13, 1), kTinyEntries);
}
TEST_CASE("choices of full width are those of the reference", "[indexer]") { check_topk(flash(5, 2), kFlashEntries); }
TEST_CASE("a thousand choices of full width are those of the reference", "[indexer]") {
  LayerConfig c = flash(4, 1);
  c.index_topk = 1024;
  check_topk(c, {2047, 1024, 1023, 1025});
}
TEST_CASE("equal scores go to the smaller position", "[indexer]") {
  check_topk(tiny(13, 2), kTinyEntries, Keys::Repeated);
}
TEST_CASE("equal scores of full width go to the smaller position", "[indexer]") {
  check_topk(flash(5, 2), kFlashEntries, Keys::Repeated);
}

/// Rows that are longer than what sorts at once; entries end in the first, inside and at the end of later pieces.
LayerConfig long_rows(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = tiny(batch, seq);
  c.max_positions = 65536;
  c.idx_max_blocks = 1024;
  return c;
}
const std::vector<std::int32_t> kLongEntries{0, 5, 6000, 7008, 7009, 7041, 14000, 14017, 16383};

TEST_CASE("choices among rows of several pieces are those of the reference", "[indexer]") {
  check_topk(long_rows(9, 2), kLongEntries);
}
TEST_CASE("hundreds of choices among rows of several pieces are those of the reference", "[indexer]") {
  LayerConfig c = long_rows(5, 1);
  c.index_topk = 700;
  check_topk(c, {699, 701, 16383, 8000, 0});
}
TEST_CASE("equal scores in several pieces go to the smaller position", "[indexer]") {
  check_topk(long_rows(9, 1), kLongEntries, Keys::Repeated);
}
TEST_CASE("scores of long rows are those of the reference", "[indexer]") {
  check_scores(long_rows(4, 1), {16383, 3, 9000, 0});
}
isa::ArchSpec with_ub(std::uint64_t kib) {
  isa::ArchSpec arch = isa::a2a3_arch_spec();
  arch.buffers[isa::index_of(isa::Space::UB)].capacity = isa::Bytes{kib * 1024};
  return arch;
}
TEST_CASE("a narrow buffer sorts in pieces what a wide one sorts at once", "[indexer]") {
  check_topk(tiny(13, 2), kTinyEntries, Keys::Different, with_ub(3));
}
TEST_CASE("a narrow buffer sorts rows of full width in pieces", "[indexer]") {
  check_topk(flash(5, 2), kFlashEntries, Keys::Repeated, with_ub(48));
}

void check_query_rope(const LayerConfig& c) {
  RandomValues random{43};
  const std::size_t rows = std::size_t{c.tokens()} * c.index_heads, dim = c.index_dim, rope = c.rope_dim;
  const auto u = random.floats(rows * dim);
  auto positions = random.integers<std::int32_t>(c.tokens(), 0, static_cast<std::int32_t>(c.max_positions) - 1);
  const auto cos = random.bf16s(c.max_positions * rope), sin = random.bf16s(c.max_positions * rope);
  std::vector<float> expected(u.size());
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t first = r / c.index_heads / c.seq * c.seq;
    const std::size_t angle = static_cast<std::size_t>(positions[first]) * rope;
    std::vector<float> row{&u[r * dim], &u[r * dim] + dim};
    rotate({&row[dim - rope], rope}, {&cos[angle], rope}, {&sin[angle], rope});
    for (std::size_t i = dim - rope; i < dim; ++i) row[i] = isa::to_float(isa::to_bf16(row[i]));
    std::copy(row.begin(), row.end(), &expected[r * dim]);
  }
  test::KernelBench bench;
  bench.bind("u", u);
  bench.bind("position_ids", positions);
  bench.bind("freqs_cos", cos);
  bench.bind("freqs_sin", sin);
  bench.bind("q", std::vector<float>(u.size()));
  bench.run(kernels::indexer_query_rope(c, isa::a2a3_arch_spec()));
  CHECK(bench.read<float>("q") == expected);
}

TEST_CASE("the index queries of both tokens turn by the angle of the first", "[indexer]") {
  check_query_rope(tiny(8, 2));
}
TEST_CASE("index queries are exact for more steps than cores and a short last step", "[indexer]") {
  LayerConfig c = tiny(31, 3);
  c.index_heads = 13;
  check_query_rope(c);
}
TEST_CASE("index queries of full width are exact", "[indexer]") {
  LayerConfig c = flash(3, 2);
  c.max_positions = 64;
  check_query_rope(c);
}

TEST_CASE("the indexer's kernels are legal at the sizes of both models and for one token", "[indexer]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  for (const LayerConfig& c : {test::flash_attention(), test::pro_attention(), test::tiny_attention(1, 1)}) {
    for (const kernels::Kernel& kernel :
         {kernels::indexer_query_rope(c, arch), kernels::indexer_score(c, arch), kernels::indexer_topk(c, arch)}) {
      CHECK_NOTHROW(isa::require_legal(kernel.object, arch));
    }
  }
}
TEST_CASE("sizes that the indexer does not tile are refused", "[indexer]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  LayerConfig c = tiny(2, 2);
  c.max_positions = 260;
  CHECK_THROWS_AS(kernels::indexer_topk(c, arch), ConfigError);
  c = tiny(2, 2);
  c.page = 200;
  CHECK_THROWS_AS(kernels::indexer_score(c, arch), ConfigError);
  c = tiny(2, 2);
  c.index_dim = 4096;
  CHECK_THROWS_AS(kernels::indexer_score(c, arch), ProgramError);
  c = tiny(2, 2);
  c.rope_dim = 20;
  CHECK_THROWS_AS(kernels::indexer_query_rope(c, arch), ConfigError);
}

}  // namespace
}  // namespace npu
