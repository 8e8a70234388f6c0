#include "traces/row_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <compare>
#include <numeric>
#include <tuple>

namespace npu::traces {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Digits from `at` on, without leading zeros; moves `at` behind them.
std::string_view take_number(std::string_view text, std::size_t& at) {
  while (at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1])) ++at;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(first, at - first);
}

std::strong_ordering natural_order(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto x = take_number(a, i);
      const auto y = take_number(b, j);
      if (const auto order = x.size() <=> y.size(); std::is_neq(order)) return order;
      if (const auto order = x <=> y; std::is_neq(order)) return order;
    } else {
      if (const auto order = a[i] <=> b[j]; std::is_neq(order)) return order;
      ++i;
      ++j;
    }
  }
  return (a.size() - i) <=> (b.size() - j);
}

struct Place {
  unsigned group = 0;  ///< host, cards, links
  std::uint32_t card = 0;
  unsigned unit = 0;       ///< card, orchestrator, scheduler, memory, core
  std::string_view owner;  ///< of a pipe: its core
  std::size_t pipe = 0;    ///< 0: not a pipe
};

std::size_t pipe_rank(std::string_view name) {
  constexpr std::array<std::string_view, 7> kFlow{"s", "mte2", "mte1", "m", "fix", "v", "mte3"};
  return 1 + static_cast<std::size_t>(std::find(kFlow.begin(), kFlow.end(), name) - kFlow.begin());
}

Place place_of(const TrackInfo& track) {
  const std::string_view name = track.name;
  switch (track.kind) {
    case TrackKind::Host:
      return {0, 0, 0, name, 0};
    case TrackKind::Card:
      return {1, track.card, 0, name, 0};
    case TrackKind::Orchestrator:
      return {1, track.card, 1, name, 0};
    case TrackKind::Scheduler:
      return {1, track.card, 2, name, 0};
    case TrackKind::Memory:
      return {1, track.card, 3, name, 0};
    case TrackKind::Core:
      return {1, track.card, 4, name, 0};
    case TrackKind::Pipe: {
      const auto dot = name.rfind('.');
      if (dot == std::string_view::npos) return {1, track.card, 4, name, pipe_rank(name)};
      return {1, track.card, 4, name.substr(0, dot), pipe_rank(name.substr(dot + 1))};
    }
    case TrackKind::Link:
      return {2, 0, 0, name, 0};
  }
  return {};
}

}  // namespace

bool row_before(const TrackInfo& a, const TrackInfo& b) {
  const Place x = place_of(a);
  const Place y = place_of(b);
  if (const auto order = std::tie(x.group, x.card, x.unit) <=> std::tie(y.group, y.card, y.unit); std::is_neq(order)) {
    return std::is_lt(order);
  }
  if (const auto order = natural_order(x.owner, y.owner); std::is_neq(order)) return std::is_lt(order);
  if (x.pipe != y.pipe) return x.pipe < y.pipe;
  return std::is_lt(natural_order(a.name, b.name));
}

std::vector<std::size_t> reading_order(std::span<const TrackInfo> tracks) {
  std::vector<std::size_t> order(tracks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return row_before(tracks[i], tracks[j]); });
  return order;
}

std::string group_of(const TrackInfo& track) {
  const std::string card = fmt::format("card{}", track.card);
  switch (track.kind) {
    case TrackKind::Host:
      return "host";
    case TrackKind::Link:
      return "links";
    case TrackKind::Card:
    case TrackKind::Orchestrator:
    case TrackKind::Scheduler:
    case TrackKind::Memory:
    case TrackKind::Core:
      return card;
    case TrackKind::Pipe: {
      const std::string_view core = place_of(track).owner;
      const auto dot = core.rfind('.');
      return core.starts_with(card) && dot != std::string_view::npos ? std::string{core.substr(0, dot)} : card;
    }
  }
  return card;
}

std::string_view name_within(std::string_view group, const TrackInfo& track) {
  const std::string_view name = track.name;
  const bool inside = name.size() > group.size() + 1 && name.starts_with(group) && name[group.size()] == '.';
  return inside ? name.substr(group.size() + 1) : name;
}

}  // namespace npu::traces
