#include "orchestration/report/task_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace npu::orch {
namespace {

using isa::Pipe;
using model::PipeStats;
using traces::WaitReason;

constexpr double kDecisive = 0.5;     ///< share of core time from which a pipe or a wait bounds a task
constexpr double kSpread = 0.05;      ///< of the longer span
constexpr double kNegligible = 1e-3;  ///< of Effective

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Cycles for which a pipe waits for a reason of its own, or the scalar unit for one that keeps the pipe's queue empty.
std::uint64_t waited(const std::array<PipeStats, isa::kPipeCount>& pipes, Pipe pipe, WaitReason reason) {
  const auto of = [&](Pipe p, WaitReason r) { return pipes[isa::index_of(p)].wait[static_cast<std::size_t>(r)]; };
  const bool follows = reason == WaitReason::QueueFull || reason == WaitReason::Drain;
  const std::uint64_t own = reason == WaitReason::Instruction ? 0 : of(pipe, reason);
  return own + (follows ? 0 : std::min(of(Pipe::S, reason), of(pipe, WaitReason::Instruction)));
}

/// Of a kind of cores, the pipe behind the scalar unit that is busy longest.
Pipe busiest_behind_scalar(const std::array<PipeStats, isa::kPipeCount>& pipes) {
  Pipe busiest = Pipe::MTE2;
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
    if (static_cast<Pipe>(p) != Pipe::S && pipes[p].busy > pipes[isa::index_of(busiest)].busy)
      busiest = static_cast<Pipe>(p);
  }
  return busiest;
}

bool differ(const TaskGroup& a, const TaskGroup& b, std::uint64_t effective) {
  if (a.count != b.count || a.blocks != b.blocks) return true;
  const std::uint64_t longer = std::max(a.span, b.span), shorter = std::min(a.span, b.span);
  const auto difference = static_cast<double>(longer - shorter);
  return difference > kSpread * static_cast<double>(longer) &&
         difference > kNegligible * static_cast<double>(effective);
}

/// The groups of one name, whose cards they are, in rows of cards that do not differ.
std::vector<TaskRow> rows_of_name(std::vector<const TaskGroup*> groups, std::uint64_t effective) {
  std::stable_sort(groups.begin(), groups.end(),
                   [](const TaskGroup* a, const TaskGroup* b) { return a->span < b->span; });
  std::vector<TaskRow> rows;
  std::vector<const TaskGroup*> shortest;  // of each row
  for (const TaskGroup* group : groups) {
    std::size_t row = 0;
    while (row < rows.size() && differ(*shortest[row], *group, effective)) ++row;
    if (row == rows.size()) {
      rows.push_back({{group->card}, *group});
      shortest.push_back(group);
    } else {
      rows[row].cards.push_back(group->card);
      add(rows[row].sum, *group);
    }
  }
  for (TaskRow& row : rows) std::sort(row.cards.begin(), row.cards.end());
  std::sort(rows.begin(), rows.end(), [](const TaskRow& a, const TaskRow& b) { return a.cards[0] < b.cards[0]; });
  return rows;
}

}  // namespace

std::vector<TaskGroup> task_groups(const model::RunStats& stats) {
  std::vector<TaskGroup> groups;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> positions;
  for (const model::TaskStats& task : stats.tasks) {
    if (task.end <= task.begin) continue;
    const TaskGroup one{.name = task.name,
                        .card = task.card,
                        .count = 1,
                        .blocks = task.blocks,
                        .begin = task.begin,
                        .span = task.end - task.begin,
                        .core_cycles = task.core_cycles,
                        .pipes = task.pipes,
                        .read_bytes = task.read.count(),
                        .written_bytes = task.written.count()};
    const auto [position, is_new] = positions.emplace(std::pair{task.card, task.name}, groups.size());
    if (is_new) {
      groups.push_back(one);
    } else {
      add(groups[position->second], one);
    }
  }
  return groups;
}

void add(TaskGroup& group, const TaskGroup& more) {
  group.count += more.count;
  group.blocks += more.blocks;
  group.begin = std::min(group.begin, more.begin);
  group.span += more.span;
  group.core_cycles += more.core_cycles;
  group.read_bytes += more.read_bytes;
  group.written_bytes += more.written_bytes;
  for (std::size_t kind = 0; kind < group.pipes.size(); ++kind) {
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      PipeStats& to = group.pipes[kind][p];
      const PipeStats& from = more.pipes[kind][p];
      to.busy += from.busy;
      to.instructions += from.instructions;
      for (std::size_t r = 0; r < to.wait.size(); ++r) to.wait[r] += from.wait[r];
    }
  }
}

std::uint64_t core_time(const model::PipeTable& pipes, isa::CoreKind kind) {
  const PipeStats& scalar = pipes[isa::index_of(kind)][isa::index_of(Pipe::S)];
  return std::accumulate(scalar.wait.begin(), scalar.wait.end(), scalar.busy);
}

Bound bound_of(const model::PipeTable& pipes) {
  Bound bound;
  isa::CoreKind kind{};
  Pipe pipe{};
  for (const isa::CoreKind k : {isa::CoreKind::AIC, isa::CoreKind::AIV}) {
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      const double busy = share(pipes[isa::index_of(k)][p].busy, core_time(pipes, k));
      if (busy <= (bound.pipe ? bound.pipe->share : 0.0)) continue;
      bound.pipe = Share{{}, busy};
      kind = k;
      pipe = static_cast<Pipe>(p);
    }
  }
  bound.by = "none";
  if (!bound.pipe) return bound;
  const bool mixed = core_time(pipes, isa::CoreKind::AIC) > 0 && core_time(pipes, isa::CoreKind::AIV) > 0;
  const std::string prefix = mixed ? fmt::format("{}.", name_of(kind)) : "";
  bound.pipe->name = prefix + std::string{name_of(pipe)};
  const auto& of_kind = pipes[isa::index_of(kind)];
  const Pipe fed = busiest_behind_scalar(of_kind);
  for (std::size_t r = 0; r < traces::kWaitReasonCount; ++r) {
    const double part = share(waited(of_kind, fed, static_cast<WaitReason>(r)), core_time(pipes, kind));
    if (part > (bound.wait ? bound.wait->share : 0.0)) {
      bound.wait = Share{prefix + std::string{traces::kWaitReasonNames[r]}, part};
    }
  }
  const double wait_share = bound.wait ? bound.wait->share : 0.0;
  if (std::max(bound.pipe->share, wait_share) < kDecisive) {
    bound.by = "latency";
  } else {
    bound.by = wait_share > bound.pipe->share ? "wait_" + bound.wait->name : bound.pipe->name;
  }
  return bound;
}

std::vector<TaskRow> task_rows(const std::vector<TaskGroup>& groups, std::uint64_t effective) {
  std::vector<std::pair<std::uint64_t, std::vector<const TaskGroup*>>> names;  // first begin, groups
  std::map<std::string_view, std::size_t> positions;
  for (const TaskGroup& group : groups) {
    const auto [position, is_new] = positions.emplace(group.name, names.size());
    if (is_new) names.emplace_back(group.begin, std::vector<const TaskGroup*>{});
    auto& [begin, of_name] = names[position->second];
    begin = std::min(begin, group.begin);
    of_name.push_back(&group);
  }
  std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<TaskRow> rows;
  for (auto& [begin, of_name] : names) {
    for (TaskRow& row : rows_of_name(std::move(of_name), effective)) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace npu::orch
