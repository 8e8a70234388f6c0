// TSORT32 and TMRGSORT against std::stable_sort.
#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::TileBuffer;

struct Pair {
  float value;
  std::int32_t index;
};

bool before(const Pair& a, const Pair& b) {
  if (std::isnan(a.value) || std::isnan(b.value)) {
    if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    return a.index < b.index;
  }
  return a.value != b.value ? a.value > b.value : a.index < b.index;
}

// Few distinct values, so that ties are common; infinities, both zeros and NaN among them.
float random_value(std::mt19937& random) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float choices[] = {0.0F,  -0.0F, 1.5F, -1.5F, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                           1e-40F};
  const auto n = static_cast<std::size_t>(random() % 24);
  return n < 8 ? choices[n] : static_cast<float>(static_cast<int>(random() % 20) - 10);
}

std::vector<Pair> pairs_of(const TileView& t, std::uint32_t row) {
  std::vector<Pair> result(t.cols / 2);
  for (std::uint32_t i = 0; i < result.size(); ++i) {
    result[i] = {t.line<float>(row)[2 * i], t.line<std::int32_t>(row)[2 * i + 1]};
  }
  return result;
}

bool same_bits(const std::vector<Pair>& a, const std::vector<Pair>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Pair& x, const Pair& y) {
    return std::bit_cast<std::uint32_t>(x.value) == std::bit_cast<std::uint32_t>(y.value) && x.index == y.index;
  });
}

}  // namespace

TEST_CASE("sort32 orders each run of 32 like a stable sort, then merges order the whole row", "[sort]") {
  std::mt19937 random{5};
  for (const std::uint32_t cols : {1U, 31U, 32U, 33U, 128U, 160U, 512U, 1000U}) {
    TileBuffer values{3, cols, DType::F32}, indices{3, cols, DType::I32}, pairs{3, 2 * cols, DType::F32};
    for (std::uint32_t r = 0; r < 3; ++r) {
      for (std::uint32_t c = 0; c < cols; ++c) {
        values.view().at<float>(r, c) = random_value(random);
        indices.view().at<std::int32_t>(r, c) = static_cast<std::int32_t>(random() % 64) - 16;
      }
    }
    test::run({.opcode = Opcode::TSort32}, pairs.view(), values.view(), indices.view());
    CHECK(pairs.guards_intact());
    std::vector<std::vector<Pair>> rows(3);
    for (std::uint32_t r = 0; r < 3; ++r) {
      for (std::uint32_t c = 0; c < cols; ++c) {
        rows[r].push_back({values.view().at<float>(r, c), indices.view().at<std::int32_t>(r, c)});
      }
      for (std::size_t c = 0; c < cols; c += 32) {
        const auto first = rows[r].begin() + static_cast<std::ptrdiff_t>(c);
        std::stable_sort(first, first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(32, cols - c)), before);
      }
      CAPTURE(cols, r);
      CHECK(same_bits(pairs_of(pairs.view(), r), rows[r]));
    }
    TileBuffer merged{3, 2 * cols, DType::F32};
    TileView from = pairs.view(), to = merged.view();
    for (std::uint32_t run = 32; run < cols; run *= 4) {
      test::run({.opcode = Opcode::TMrgSort, .imm = static_cast<std::int32_t>(run)}, to, from);
      for (std::uint32_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < cols; c += 4 * std::size_t{run}) {
          const auto first = rows[r].begin() + static_cast<std::ptrdiff_t>(c);
          std::stable_sort(first, first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4 * run, cols - c)),
                           before);
        }
        CAPTURE(cols, r, run);
        CHECK(same_bits(pairs_of(to, r), rows[r]));
      }
      std::swap(from, to);
    }
    CHECK(merged.guards_intact());
  }
}

TEST_CASE("merging in place reads before it writes", "[sort]") {
  TileBuffer tile{1, 256, DType::F32}, other{1, 256, DType::F32};
  for (std::uint32_t i = 0; i < 128; ++i) {
    tile.view().line<float>(0)[2 * i] = static_cast<float>(31 - i % 32);
    tile.view().line<std::int32_t>(0)[2 * i + 1] = static_cast<std::int32_t>(i);
  }
  test::run({.opcode = Opcode::TMrgSort, .imm = 32}, other.view(), tile.view());
  test::run({.opcode = Opcode::TMrgSort, .imm = 32}, tile.view(), tile.view());
  CHECK(tile.bytes() == other.bytes());
  CHECK_THROWS_AS(test::run({.opcode = Opcode::TMrgSort, .imm = 0}, other.view(), tile.view()), ProgramError);
}

}  // namespace npu::isa
