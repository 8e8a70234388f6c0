// What the tasks of a run took together: per card and name, and what bounds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/device.hpp"

namespace npu::orch {

/// All tasks of one name on one card, each of them an occurrence. Times in cycles.
struct TaskGroup {
  std::string name;
  std::uint32_t card = 0;
  std::uint32_t count = 0, blocks = 0;
  std::uint64_t begin = 0;        ///< of the first occurrence
  std::uint64_t span = 0;         ///< of each occurrence from its first block to its last, added up
  std::uint64_t core_cycles = 0;  ///< over the cores
  model::PipeTable pipes{};
  std::uint64_t read_bytes = 0, written_bytes = 0;  ///< global memory, by the movers
};
/// Card by card, in order of first submission. Tasks of which no block has ended are left out.
[[nodiscard]] std::vector<TaskGroup> task_groups(const model::RunStats& stats);

/// `more` as further occurrences of the same work: counts, times, bytes and pipes add up.
void add(TaskGroup& group, const TaskGroup& more);

/// Core cycles of a kind: every cycle of its scalar unit is busy or waits.
[[nodiscard]] std::uint64_t core_time(const model::PipeTable& pipes, isa::CoreKind kind);

/// A pipe or a wait, with its share of the time of the cores that have it.
struct Share {
  std::string name;
  double share = 0.0;
};
/// What fills the time of a task's cores. In a task of both kinds of cores the names say which: "aic.mte2".
struct Bound {
  std::optional<Share> pipe;  ///< busy for the largest share of the time of its cores
  /// What the busiest pipe behind the scalar unit waited for longest; while its queue is empty, what the scalar unit
  /// waited for instead, at most for as long. An empty queue (instruction), a full one (queue_full) and the end of a
  /// block (drain) are no reasons: they follow from what the other side does.
  std::optional<Share> wait;
  /// The name of the pipe, or "wait_<reason>", whichever has at least half of the time and the larger share; "latency"
  /// where neither has, "none" where nothing ran.
  std::string by;
};
[[nodiscard]] Bound bound_of(const model::PipeTable& pipes);

/// Groups of one name whose cards do not differ materially, as one.
struct TaskRow {
  std::vector<std::uint32_t> cards;  ///< ascending
  TaskGroup sum;                     ///< over these cards
};
/// In order of execution. Cards differ materially where counts or blocks do, or where their spans do by more than 5 %
/// and by more than a thousandth of `effective` cycles.
[[nodiscard]] std::vector<TaskRow> task_rows(const std::vector<TaskGroup>& groups, std::uint64_t effective);

}  // namespace npu::orch
