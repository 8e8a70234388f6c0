#include "orchestration/data/compare_ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

constexpr std::int32_t kNone = -1;

std::vector<float> descending(std::span<const float> scores) {
  std::vector<float> sorted(scores.begin(), scores.end());
  // A NaN equals no score; any place will do.
  std::replace_if(
      sorted.begin(), sorted.end(), [](float s) { return std::isnan(s); }, -std::numeric_limits<float>::infinity());
  std::sort(sorted.begin(), sorted.end(), std::greater<>{});
  return sorted;
}

/// Whether column i of a row may hold another code than expected.
bool is_reordered(std::span<const std::int32_t> row, std::size_t i, std::int32_t expected,
                  std::span<const float> scores, std::span<const float> sorted, std::int32_t first_code) {
  const std::int64_t entry = std::int64_t{row[i]} - first_code;
  if (expected == kNone || entry < 0 || entry >= static_cast<std::int64_t>(scores.size())) return false;
  return std::count(row.begin(), row.end(), row[i]) == 1 && scores[static_cast<std::size_t>(entry)] == sorted[i];
}

}  // namespace

Comparison compare_ranking(std::span<const Tensor> expected, std::span<const Tensor> actual,
                           std::span<const Tensor> scores, std::int32_t first_code) {
  NPU_ASSERT(!expected.empty() && expected.size() == actual.size() && expected.size() == scores.size(),
             "every rank has expected codes, actual codes and scores");
  Comparison c;
  c.name = expected.front().name();
  c.over_cards = true;
  c.rule = "ranking(order may differ where the score order stays descending)";
  for (std::size_t r = 0; r < expected.size(); ++r) {
    const Tensor &e = expected[r], &a = actual[r];
    if (e.shape() != a.shape() || scores[r].shape() != a.shape()) {
      throw config_error("tensor '{}': expected {}, got {} with scores {}", e.name(), to_string(e.shape()),
                         to_string(a.shape()), to_string(scores[r].shape()));
    }
    const std::size_t width = e.row_length();
    for (std::size_t row = 0; row < e.row_count(); ++row) {
      const auto want = e.as<std::int32_t>().subspan(row * width, width);
      const auto got = a.as<std::int32_t>().subspan(row * width, width);
      c.checked += width;
      ++c.damage.rows;
      if (std::equal(want.begin(), want.end(), got.begin())) continue;
      const auto own = scores[r].as<float>().subspan(row * width, width);
      const std::vector<float> sorted = descending(own);
      for (std::size_t i = 0; i < width; ++i) {
        if (want[i] == got[i] || is_reordered(got, i, want[i], own, sorted, first_code)) continue;
        if (c.damage.last.empty() || c.damage.last[0] != r || c.damage.last[1] != row) ++c.damage.bad_rows;
        c.damage.last = {r, row, i};
        if (got[i] == 0) ++c.damage.zeros;
        if (c.violations++ > 0) continue;
        c.damage.first = {r, row, i};
        c.worst_index = {r, row, i};
        c.expected = want[i];
        c.got = got[i];
      }
    }
  }
  c.share = c.checked == 0 ? 0.0 : static_cast<double>(c.violations) / static_cast<double>(c.checked);
  c.pass = c.violations == 0;
  return c;
}

}  // namespace npu::orch
