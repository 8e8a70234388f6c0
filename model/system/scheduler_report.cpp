// What the scheduler says about itself: statistics, progress, and the rows of the deadlock table.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "model/system/scheduler.hpp"

namespace npu::model {
namespace {

constexpr std::size_t kMaxTaskRows = 12;  ///< per card; the first stuck tasks explain the others

}  // namespace

std::vector<TaskStats> Scheduler::task_stats() const {
  std::vector<TaskStats> all;
  all.reserve(runs_.size());
  for (const TaskRun& run : runs_) all.push_back(run.stats);
  return all;
}

std::uint64_t Scheduler::progress() const {
  std::uint64_t sum = parts_ended_ + runs_.size();
  for (std::uint32_t c = 0; c < pool_.size(); ++c) sum += pool_.core(c).retired();
  return sum;
}

std::uint64_t Scheduler::latest() const {
  std::uint64_t latest = env_.clock.now();
  for (std::uint32_t c = 0; c < pool_.size(); ++c) latest = std::max(latest, pool_.core(c).latest());
  return latest;
}

bool Scheduler::goes_on() const {
  if (!events_.empty()) return true;
  for (std::uint32_t c = 0; c < pool_.size(); ++c) {
    if (pool_.core(c).goes_on()) return true;
  }
  return false;
}

bool Scheduler::any_task_ready() const {
  for (const Lane& l : lanes_) {
    if (!l.cohorts.empty() || !l.tasks.empty()) return true;
  }
  return false;
}

std::string Scheduler::describe(std::uint32_t id) const {
  const Task& task = graph_.task(id);
  const TaskRun& run = runs_[id];
  switch (task.state) {
    case TaskState::Pending: {
      std::vector<std::string> names;
      for (const std::uint32_t p : graph_.missing(id)) names.push_back(fmt::format("{} '{}'", p, graph_.task(p).name));
      return fmt::format("task {} '{}' is pending, missing producers: {}", id, task.name, fmt::join(names, ", "));
    }
    case TaskState::Ready:
      return fmt::format("task {} '{}' is ready, {} blocks wait for a free {}", id, task.name, task.blocks,
                         run.shape == Shape::Mixed  ? "cluster"
                         : run.shape == Shape::Cube ? "cube core"
                                                    : "vector core");
    case TaskState::Running:
      return fmt::format("task {} '{}' is running, {} of {} blocks issued, {} core parts not complete", id, task.name,
                         run.next_block, task.blocks, run.parts_left);
    case TaskState::Completed:
    case TaskState::Consumed:
      break;
  }
  return {};
}

void Scheduler::describe_waits(std::vector<WaitRow>& rows) const {
  const std::string unit = fmt::format("card{}.sched", card_);
  std::size_t listed = 0;
  for (std::uint32_t id = graph_.first_unconsumed(); id < graph_.size() && listed < kMaxTaskRows; ++id) {
    if (graph_.task(id).state >= TaskState::Completed) continue;
    rows.push_back({unit, describe(id), runs_[id].since});
    ++listed;
  }
  if (graph_.live() > listed) {
    rows.push_back({unit, fmt::format("... and {} more tasks", graph_.live() - listed), 0, false});
  }
  for (std::uint32_t c = 0; c < pool_.size(); ++c) pool_.core(c).describe_waits(rows);
}

}  // namespace npu::model
