#include "model/system/wait_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace npu::model {
namespace {

/// Rows that differ only in the unit, the block and the time.
struct Group {
  const WaitRow* first;
  const WaitRow* last;
  std::size_t rows = 1;
  std::uint64_t earliest, latest;
  std::optional<std::uint32_t> least_block, greatest_block;
};

/// "card0" and "v" of "card0.cluster3.aiv1.v": units of one card and one pipe may share a row.
std::pair<std::string_view, std::string_view> card_and_pipe(std::string_view unit) {
  return {unit.substr(0, unit.find('.')), unit.substr(unit.rfind('.') + 1)};
}

std::vector<Group> grouped(const std::vector<WaitRow>& rows) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::size_t> places;
  for (const WaitRow& row : rows) {
    const auto [card, pipe] = card_and_pipe(row.unit);
    const auto [found, is_new] = places.try_emplace({card, pipe, row.what}, groups.size());
    if (is_new || !row.block) {
      found->second = groups.size();
      groups.push_back({&row, &row, 1, row.since, row.since, row.block, row.block});
      continue;
    }
    Group& group = groups[found->second];
    group.last = &row;
    ++group.rows;
    group.earliest = std::min(group.earliest, row.since);
    group.latest = std::max(group.latest, row.since);
    group.least_block = std::min(group.least_block, row.block);
    group.greatest_block = std::max(group.greatest_block, row.block);
  }
  return groups;
}

std::string range(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::to_string(first) : fmt::format("{}..{}", first, last);
}

}  // namespace

std::string format_wait_table(const std::vector<WaitRow>& rows) {
  if (rows.empty()) return {};
  std::vector<std::array<std::string, 3>> lines;
  lines.push_back({"unit", "since cycle", "waits for"});
  for (const Group& group : grouped(rows)) {
    const WaitRow& row = *group.first;
    std::string unit = row.unit, what = row.what;
    if (group.rows > 1) unit = fmt::format("{} to {}, {} units", row.unit, group.last->unit, group.rows);
    if (row.block) {
      what = fmt::format("{} {}: {}", group.rows > 1 ? "blocks" : "block",
                         range(*group.least_block, *group.greatest_block), what);
    }
    lines.push_back({unit, row.has_since ? range(group.earliest, group.latest) : "-", what});
  }
  std::size_t unit_width = 0, since_width = 12;
  for (const auto& [unit, since, what] : lines) {
    unit_width = std::max(unit_width, unit.size());
    since_width = std::max(since_width, since.size());
  }
  std::string text = "\n";
  for (const auto& [unit, since, what] : lines) {
    text += fmt::format("  {:<{}}  {:>{}}  {}\n", unit, unit_width, since, since_width, what);
  }
  return text;
}

}  // namespace npu::model
