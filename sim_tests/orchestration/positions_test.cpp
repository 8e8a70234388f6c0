// Sizes that follow from the positions of a step, and inputs of far positions.
#include "orchestration/data/positions.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "isa/errors.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/presets.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;
using kernels::LayerConfig;

LayerConfig sized(std::string_view name, std::uint32_t layer, std::uint32_t seq = 2) {
  return resized(preset(name), {{}, {}, seq, layer, false});
}

LayerConfig fitted(LayerConfig c, std::uint32_t start) {
  fit_to_positions(c, {c.layer_id, c.layer_id}, start);
  return c;
}

/// Around a multiple of 128: what completes a window of 4 and of 128, and what just does not.
std::vector<std::uint32_t> around(std::uint32_t boundary) {
  std::vector<std::uint32_t> starts;
  for (std::uint32_t d = 0; d <= 10; ++d) starts.push_back(boundary - 5 + d);
  for (const std::uint32_t far : {127U, 128U, 129U}) starts.insert(starts.end(), {boundary - far, boundary + far});
  return starts;
}

TEST_CASE("sizes that reach a step's positions stay as they are") {
  for (const std::string_view name : {"tiny", "small", "flash", "pro", "demo"}) {
    for (const std::uint32_t layer : {0U, 3U, 4U}) {
      LayerConfig c = sized(name, layer);
      fit_to_positions(c, {layer, layer}, std::nullopt);
      const LayerConfig before = sized(name, layer);
      CHECK(c.max_positions == before.max_positions);
      CHECK(c.cmp_max_blocks == before.cmp_max_blocks);
      CHECK(c.idx_max_blocks == before.idx_max_blocks);
      CHECK(c.c4_max_blocks == before.c4_max_blocks);
      CHECK(c.c128_max_blocks == before.c128_max_blocks);
      CHECK(c.c4_pool_blocks + c.c128_pool_blocks == 0);
    }
  }
}

TEST_CASE("tables reach the last position of a step, and the state's pool holds the pages that live") {
  const LayerConfig csa = fitted(sized("tiny", 10), 8192);
  CHECK(csa.max_positions == 8192 + 128);
  CHECK(csa.cmp_max_blocks == 129);  // entries 0..2048 in pages of 16
  CHECK(csa.idx_max_blocks == 129);
  CHECK(csa.c4_max_blocks == 2049);
  CHECK(csa.c4_pool_blocks == 3);  // windows 8188.. and 8192.. of four, wherever they start, and their neighbour
  CHECK(csa.c128_max_blocks == 64);
  const LayerConfig hca = fitted(sized("tiny", 3), 8192);
  CHECK(hca.cmp_max_blocks == 5);
  CHECK(hca.c128_max_blocks == 1025);
  CHECK(hca.c128_pool_blocks == 17);
  CHECK(hca.c4_max_blocks == 65);
  const LayerConfig swa = fitted(sized("tiny", 0), 8192);
  CHECK(swa.max_positions == 8192 + 128);
  CHECK(swa.cmp_max_blocks == 5);
}

/// Slots follow from the tables, and what the step's windows read lies in pages of its own.
void check_state(const LayerConfig& c, std::uint32_t start) {
  const bool csa = attention_kind(c) == kernels::AttentionKind::Csa;
  const std::string kind = csa ? "csa" : "hca";
  const std::uint32_t ratio = csa ? 4 : 128, page = csa ? c.c4_page : c.c128_page;
  const auto wanted = [](std::string_view name) {
    return name.ends_with("table") || name.ends_with("mapping") || name.ends_with("ids");
  };
  const LayerCase made = generate_case(c, {.seed = 0, .start_pos = start, .wanted = wanted, .threads = 1});
  const Tensor& pages = made.input(kind + "_compress_state_block_table", 0);
  const auto table = pages.as<std::int32_t>();
  const auto positions = made.input("position_ids", 0).as<std::int32_t>();
  const auto state_slots = made.input(kind + "_state_slot_mapping", 0).as<std::int64_t>();
  const auto row_slots = made.input(kind + "_cmp_slot_mapping", 0).as<std::int64_t>();
  for (std::size_t t = 0; t < positions.size(); ++t) {
    const auto at = static_cast<std::uint32_t>(positions[t]);
    CHECK(at == start + t % c.seq);
    const std::int64_t named = table[t / c.seq * pages.row_length() + at / page];
    CHECK(state_slots[t] == named * page + at % page);
    CHECK((row_slots[t] >= 0) == ((at + 1) % ratio == 0));
  }
  const std::uint32_t window = start / ratio * ratio, oldest = csa && window >= ratio ? window - ratio : window;
  const std::uint32_t first = oldest / page, end = (start + c.seq - 1) / page + 1;
  const std::set<std::int32_t> distinct(table.begin() + first, table.begin() + end);
  CHECK(distinct.size() == end - first);
}

TEST_CASE("states of every position around a window's end have pages of their own") {
  for (const std::uint32_t layer : {3U, 10U}) {
    for (const std::uint32_t seq : {1U, 2U, 4U}) {
      for (const std::uint32_t boundary : {512U, 8192U, 131072U}) {
        for (const std::uint32_t start : around(boundary)) {
          CAPTURE(layer, seq, start);
          check_state(fitted(sized("tiny", layer, seq), start), start);
        }
      }
    }
  }
}

TEST_CASE("far positions fill the rows that live, and no others") {
  const LayerConfig c = fitted(sized("tiny", 10), 8192);
  const LayerCase made = generate_case(c, {.seed = 0, .start_pos = 8192, .wanted = {}, .threads = 1});
  CHECK(made.input("csa_compress_state", 0).shape() == Shape{std::uint64_t{c.batch} * 3, 4, 4ULL * c.head_dim});
  for (const float v : made.input("csa_compress_state", 0).as<float>()) CHECK(std::isfinite(v));
  const auto cos = made.input("freqs_cos", 0).as<isa::Bf16>();
  CHECK(isa::to_float(cos[0]) == 0.0F);
  CHECK(std::abs(isa::to_float(cos[std::size_t{8192} * c.rope_dim])) > 0.0F);
}

TEST_CASE("what a preset file gives is not lengthened, and the refusal names it") {
  const test::TemporaryDirectory directory;
  const auto refused = [&](const std::string& line, std::uint32_t layer) {
    const Preset p = read_preset(directory.write("given.toml", "base = \"tiny\"\n" + line + "\n"));
    LayerConfig c = resized(p.config, {{}, {}, {}, layer, false});
    fit_to_positions(c, {layer, layer}, 8192, p.given);
  };
  CHECK_THROWS_WITH(refused("max_positions = 1024", 0), Contains("max_positions (1024)") && Contains("8193"));
  CHECK_THROWS_WITH(refused("cmp_max_blocks = 7", 10), Contains("cmp_max_blocks (7)") && Contains("448 positions"));
  CHECK_THROWS_WITH(refused("idx_max_blocks = 7", 10), Contains("idx_max_blocks (7)"));
  CHECK_THROWS_WITH(refused("c4_max_blocks = 70", 10), Contains("c4_max_blocks (70)") && Contains("280 positions"));
  CHECK_THROWS_WITH(refused("c128_max_blocks = 70", 3), Contains("c128_max_blocks (70)"));
  CHECK_THROWS_WITH(refused("c4_pool_blocks = 2", 10), Contains("c4_pool_blocks is 2; expected 3..65"));
  CHECK_NOTHROW(refused("c4_max_blocks = 70", 3));  // another kind's
  CHECK_NOTHROW(refused("c4_max_blocks = 2049\nc4_pool_blocks = 4", 10));
}

TEST_CASE("a preset file may give the position, which its base can give too") {
  const test::TemporaryDirectory directory;
  CHECK(read_preset(directory.write("a.toml", "base = \"tiny\"\nstart_pos = 300\n")).start_pos == 300U);
  CHECK(read_preset(directory.write("b.toml", "base = \"flash-8k\"\n")).start_pos == 8192U);
  CHECK(read_preset(directory.write("c.toml", "base = \"tiny\"\n")).start_pos == std::nullopt);
  CHECK_THROWS_WITH(read_preset(directory.write("d.toml", "base = \"tiny\"\nstart_pos = -1\n")),
                    Contains("d.toml:2: start_pos"));
}

TEST_CASE("positions end where the angles of the rope tables do") {
  CHECK(fitted(sized("tiny", 10), 1'000'000).max_positions == 1'000'064);
  CHECK(fitted(sized("flash", 10), (1U << 20U) - 2).max_positions == 1U << 20U);
  CHECK_THROWS_WITH(fitted(sized("flash", 10), (1U << 20U) - 1), Contains("1048576") && Contains("1048574 or less"));
  CHECK_THROWS_WITH(fitted(sized("tiny", 0), 0xFFFFFFFF), Contains("4294967296"));
}

TEST_CASE("the layers of a step are valid and have one size") {
  LayerConfig c = sized("tiny", 0, 8);
  CHECK_NOTHROW(fit_to_positions(c, {0, 1}, 8192));
  CHECK_THROWS_WITH(fit_to_positions(c, {0, 2}, 8192), Contains("layer 2") && Contains("ratio 4"));
  LayerConfig all = sized("tiny", 0);
  fit_to_positions(all, {0, 42}, 8192);
  CHECK(all.layer_id == 0);
  CHECK(all.cmp_max_blocks == 129);
  CHECK(all.c4_max_blocks == 2049);
  CHECK(all.c128_max_blocks == 1025);
}

}  // namespace
}  // namespace npu::orch
