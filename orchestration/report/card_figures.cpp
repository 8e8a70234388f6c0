#include "orchestration/report/card_figures.hpp"

#include <algorithm>
#include <utility>

#include "orchestration/report/task_groups.hpp"

namespace npu::orch {
namespace {

/// Cycles of [begin, end) in none of the spans.
std::uint64_t uncovered(std::vector<std::pair<std::uint64_t, std::uint64_t>> spans, std::uint64_t begin,
                        std::uint64_t end) {
  std::sort(spans.begin(), spans.end());
  std::uint64_t gaps = 0, covered = begin;
  for (const auto& [from, to] : spans) {
    gaps += cycles_between(covered, std::min(from, end));
    covered = std::max(covered, to);
  }
  return gaps + cycles_between(covered, end);
}

std::uint64_t cores_of(std::uint32_t clusters, isa::CoreKind kind) {
  return std::uint64_t{clusters} * (kind == isa::CoreKind::AIV ? 2 : 1);
}

}  // namespace

void add(MemoryFigures& sum, const MemoryFigures& more) {
  sum.hbm_read += more.hbm_read;
  sum.hbm_write += more.hbm_write;
  sum.l2_read += more.l2_read;
  sum.l2_write += more.l2_write;
  sum.l2_hits += more.l2_hits;
  sum.cycles += more.cycles;
}

double gb_per_s(const model::Params& params, std::uint64_t bytes, std::uint64_t cycles) {
  return share_of(static_cast<double>(bytes), model::us_of_cycles(params, cycles) * 1e3);
}

double hbm_share(const model::Params& params, const MemoryFigures& memory) {
  return gb_per_s(params, memory.hbm_read, memory.cycles) / params.memory.hbm_read_gb_per_s +
         gb_per_s(params, memory.hbm_write, memory.cycles) / params.memory.hbm_write_gb_per_s;
}

std::vector<CardFigures> card_figures(const model::RunStats& stats, std::uint32_t clusters) {
  std::vector<CardFigures> figures;
  for (std::uint32_t c = 0; c < stats.cards.size(); ++c) {
    const model::CardStats& card = stats.cards[c];
    CardFigures f;
    f.effective = cycles_between(card.begin, card.end);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
    std::array<std::uint64_t, 2> used{};
    for (const model::TaskStats& task : stats.tasks) {
      if (task.card != c) continue;
      if (task.end > task.begin) spans.emplace_back(task.begin, task.end);
      for (const isa::CoreKind kind : {isa::CoreKind::AIC, isa::CoreKind::AIV}) {
        used[isa::index_of(kind)] += core_time(task.pipes, kind);
      }
    }
    f.gaps = uncovered(std::move(spans), card.begin, card.end);
    for (const isa::CoreKind kind : {isa::CoreKind::AIC, isa::CoreKind::AIV}) {
      const std::uint64_t available = f.effective * cores_of(clusters, kind);
      f.idle_share[isa::index_of(kind)] = share_of(
          static_cast<double>(cycles_between(used[isa::index_of(kind)], available)), static_cast<double>(available));
    }
    f.memory = {.hbm_read = card.hbm_read.count(),
                .hbm_write = card.hbm_write.count(),
                .l2_read = card.l2_read.count(),
                .l2_write = card.l2_write.count(),
                .l2_hits = card.l2_hit_bytes,
                .cycles = f.effective};
    figures.push_back(f);
  }
  return figures;
}

std::uint64_t device_cycles(const model::RunStats& stats) {
  if (stats.cards.empty()) return 0;
  std::uint64_t first = stats.cards.front().begin, last = 0;
  for (const model::CardStats& card : stats.cards) {
    first = std::min(first, card.begin);
    last = std::max(last, card.end);
  }
  return cycles_between(first, last);
}

std::uint64_t effective_cycles(const model::RunStats& stats) {
  std::uint64_t longest = 0;
  for (const model::CardStats& card : stats.cards) longest = std::max(longest, cycles_between(card.begin, card.end));
  return longest;
}

}  // namespace npu::orch
