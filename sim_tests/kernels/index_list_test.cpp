// Index lists of the three attention kinds against the reference.
#include <algorithm>
#include <catch2/catch.hpp>

#include "isa/verifier.hpp"
#include "kernels/attention/index_list.hpp"
#include "kernels/reference/indexer.hpp"
#include "sim_tests/kernels/attention_values.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;
using namespace kernels::reference;

struct ListCase {
  std::vector<std::int32_t> positions, lengths, topk;
};

/// Requests start at the given positions in turn; the top-k rows hold random entries of the request, then -1.
ListCase list_case(const LayerConfig& c, const std::vector<std::int32_t>& starts) {
  ListCase l;
  std::mt19937 generator{5};
  const std::size_t width = c.max_positions / 4;
  for (std::uint32_t b = 0; b < c.batch; ++b) {
    const std::int32_t start = starts[b % starts.size()], seq = static_cast<std::int32_t>(c.seq);
    l.lengths.push_back(start + seq);
    std::vector<std::int32_t> entries(static_cast<std::size_t>((start + seq) / 4));
    for (std::size_t i = 0; i < entries.size(); ++i)
      entries[i] = static_cast<std::int32_t>(c.window + c.seq) + static_cast<std::int32_t>(i);
    for (std::int32_t s = 0; s < seq; ++s) {
      l.positions.push_back(start + s);
      std::shuffle(entries.begin(), entries.end(), generator);
      std::vector<std::int32_t> row(width, -1);
      std::copy_n(entries.begin(), std::min<std::size_t>(entries.size(), c.index_topk), row.begin());
      l.topk.insert(l.topk.end(), row.begin(), row.end());
    }
  }
  return l;
}

std::vector<std::int32_t> run_list(const LayerConfig& c, AttentionKind kind, const ListCase& l) {
  test::KernelBench bench;
  bench.bind("position_ids", l.positions);
  bench.bind("kv_seq_lens", l.lengths);
  bench.bind("topk", l.topk);
  bench.bind("sparse_indices", std::vector<std::int32_t>(c.tokens() * sparse_width(c, kind), 77));
  bench.run(kernels::index_list(c, kind, isa::a2a3_arch_spec()));
  return bench.read<std::int32_t>("sparse_indices");
}

void check_list(const LayerConfig& c, AttentionKind kind, const std::vector<std::int32_t>& starts) {
  const ListCase l = list_case(c, starts);
  std::vector<std::int32_t> expected(c.tokens() * sparse_width(c, kind));
  sparse_indices(c, kind, {l.positions, l.lengths, l.topk}, expected);
  CHECK(run_list(c, kind, l) == expected);
}

LayerConfig tiny(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = test::tiny_attention(batch, seq);
  c.max_positions = 512;
  c.index_topk = 8;
  return c;
}

/// Full width with few requests.
LayerConfig flash(std::uint32_t batch, std::uint32_t seq) {
  LayerConfig c = test::flash_attention();
  c.batch = batch;
  c.seq = seq;
  return c;
}

TEST_CASE("window lists are exact for short, just full and wrapped windows", "[index_list]") {
  check_list(test::tiny_attention(8, 2), AttentionKind::Swa, {0, 3, 13, 14, 15, 16, 30, 31});
}
TEST_CASE("window lists are exact for more tokens than cores, a window of 20 and three tokens a step", "[index_list]") {
  LayerConfig c = test::tiny_attention(19, 3);
  c.window = 20;
  c.max_positions = 4096;
  check_list(c, AttentionKind::Swa, {0, 1, 17, 18, 19, 20, 37, 38, 39, 40, 1000});
}

const std::vector<std::int32_t> kBlockStarts{0, 10, 126, 127, 128, 253, 254, 255, 256, 383, 510};
TEST_CASE("hca lists hold the complete blocks of 128 positions before each of two tokens", "[index_list]") {
  check_list(tiny(11, 2), AttentionKind::Hca, kBlockStarts);
}
TEST_CASE("hca lists are exact for one token a step", "[index_list]") {
  check_list(tiny(11, 1), AttentionKind::Hca, kBlockStarts);
}
TEST_CASE("hca lists of full width reach the last position", "[index_list]") {
  check_list(flash(5, 2), AttentionKind::Hca, {8190, 8063, 5000, 127, 0});
}
TEST_CASE("hca lists show no more blocks than the indexer's limit", "[index_list]") {
  LayerConfig c = tiny(4, 2);
  c.index_topk = 3;
  check_list(c, AttentionKind::Hca, {510, 400, 300, 5});
}

const std::vector<std::int32_t> kEntryStarts{0, 2, 3, 4, 6, 7, 11, 14, 15, 16, 30, 31, 100, 509};
TEST_CASE("csa lists keep the order of the chosen entries", "[index_list]") {
  check_list(tiny(14, 2), AttentionKind::Csa, kEntryStarts);
}
TEST_CASE("csa lists are exact for one token a step", "[index_list]") {
  check_list(tiny(14, 1), AttentionKind::Csa, kEntryStarts);
}
TEST_CASE("csa lists are exact for more tokens than cores and a window that is not in whole blocks", "[index_list]") {
  LayerConfig c = tiny(19, 3);
  c.window = 20;
  check_list(c, AttentionKind::Csa, kEntryStarts);
}
TEST_CASE("csa lists of full width hold 512 entries", "[index_list]") {
  check_list(flash(4, 2), AttentionKind::Csa, {8190, 2046, 2047, 5});
}
TEST_CASE("csa lists end with empty columns where the limit exceeds the entries of the model", "[index_list]") {
  LayerConfig c = tiny(3, 2);
  c.index_topk = 200;
  check_list(c, AttentionKind::Csa, {510, 100, 1});
}
TEST_CASE("an entry that the later token completes is dropped from the early token's list, not refilled",
          "[index_list]") {
  LayerConfig c = tiny(1, 2);
  c.index_topk = 3;
  const std::int32_t first = static_cast<std::int32_t>(c.window + c.seq);
  ListCase l{{18, 19}, {20}, std::vector<std::int32_t>(2 * c.max_positions / 4, -1)};
  for (std::size_t t = 0; t < 2; ++t) {  // entry 4 covers positions 16 to 19
    const std::int32_t codes[] = {first + 1, first + 4, first + 0};
    std::copy_n(codes, 3, l.topk.begin() + static_cast<std::ptrdiff_t>(t * c.max_positions / 4));
  }
  const auto list = run_list(c, AttentionKind::Csa, l);
  const auto row = list.begin() + c.window;
  CHECK(std::vector<std::int32_t>(row, row + 3) == std::vector<std::int32_t>{first + 1, -1, first + 0});
  CHECK(std::vector<std::int32_t>(list.end() - 3, list.end()) ==
        std::vector<std::int32_t>{first + 1, first + 4, first + 0});
}

TEST_CASE("index lists are legal at the sizes of both models and for one token", "[index_list]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  for (const LayerConfig& c : {test::flash_attention(), test::pro_attention(), test::tiny_attention(1, 1)}) {
    for (const AttentionKind kind : {AttentionKind::Swa, AttentionKind::Hca, AttentionKind::Csa})
      CHECK_NOTHROW(isa::require_legal(kernels::index_list(c, kind, arch).object, arch));
  }
}

}  // namespace
}  // namespace npu
