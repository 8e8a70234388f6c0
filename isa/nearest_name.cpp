#include "isa/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of the prefix of a read so far to all prefixes of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// Longest part of a name that is compared: time grows with the product of both lengths.
constexpr std::size_t kMostCompared = 256;

std::string_view leaf(std::string_view key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  NPU_ASSERT(!candidates.empty(), "nothing to be near to");
  name = name.substr(0, kMostCompared);
  const auto score = [&](std::string_view c) {
    const bool contains = leaf(c).find(leaf(name)) != std::string_view::npos;
    return std::pair{contains ? 0 : 1, edit_distance(name, c.substr(0, kMostCompared))};
  };
  return *std::min_element(candidates.begin(), candidates.end(),
                           [&](std::string_view a, std::string_view b) { return score(a) < score(b); });
}

}  // namespace npu::isa
