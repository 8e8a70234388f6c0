// The task graph of one card's run: dependencies from byte regions, task states, bounded resources. No time here.
//
// Edges: read-after-write and write-after-write from the last live writer of every byte that a task reads or writes,
// plus the explicit `after` list. Write-after-read is not tracked, as on the device: a later writer can overtake a
// live reader unless it names it in `after` (runtime.md section 1.5). One ring without scopes is modelled; the output
// heap is not, because the host allocates all tensors.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "model/device.hpp"
#include "model/system/writer_map.hpp"

namespace npu::model {

/// runtime.md section 1.6.
struct GraphLimits {
  std::uint32_t task_window = 16384;      ///< tasks not yet consumed; a full window blocks the orchestrator
  std::uint32_t dependency_pool = 16384;  ///< edges of tasks that have not completed
  std::uint32_t tensor_map = 65536;       ///< regions with a live writer
  std::uint32_t inline_producers = 64;    ///< of one task; further ones take a second pool entry each
  std::uint32_t tensors = 24;             ///< arguments of one task; upstream has 16, the dispatch here names 17
  std::uint32_t scalars = 16;
};

/// Pending: a producer has not completed. Consumed: completed, and so have its consumers; its slot may return.
enum class TaskState : std::uint8_t { Pending, Ready, Running, Completed, Consumed };

struct Region {
  std::uint64_t begin, end;
};

struct Task {
  const isa::KernelObject* kernel = nullptr;
  std::string name;
  std::uint32_t blocks = 1;
  bool sync_start = false;
  std::vector<std::int64_t> args;  ///< in LDARG order
  std::vector<Region> writes;
  std::vector<std::uint32_t> producers;   ///< that were alive at submission, ascending
  std::vector<std::uint32_t> successors;  ///< ascending
  std::uint32_t missing_producers = 0;
  std::uint32_t open_consumers = 0;
  std::uint32_t pool_entries = 0;  ///< taken on behalf of this task's producer list and returned when it is ready
  TaskState state = TaskState::Pending;

  [[nodiscard]] bool mixed() const { return kernel->cube && kernel->vector; }
};

class TaskGraph {
 public:
  explicit TaskGraph(const GraphLimits& limits) : limits_{limits} {}

  /// A slot of the window is free.
  [[nodiscard]] bool has_slot() const { return tasks_.size() - head_ < limits_.task_window; }
  /// Requires has_slot(). The task is Ready when none of its producers is alive, Pending otherwise. Throws
  /// ProgramError: INVALID_ARGS, DEP_POOL_OVERFLOW, TENSORMAP_OVERFLOW.
  TaskId submit(const TaskSpec& spec);
  void mark_running(std::uint32_t task);
  /// Requires a Running task. Appends the successors that became ready, ascending.
  void complete(std::uint32_t task, std::vector<std::uint32_t>& ready);

  [[nodiscard]] const Task& task(std::uint32_t id) const { return tasks_[id]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(tasks_.size()); }
  [[nodiscard]] std::uint32_t live() const { return live_; }  ///< tasks that have not completed
  [[nodiscard]] std::uint32_t first_unconsumed() const { return head_; }
  [[nodiscard]] std::uint32_t pool_used() const { return pool_used_; }
  [[nodiscard]] const GraphLimits& limits() const { return limits_; }
  /// Live tasks that last wrote a byte of [address, address + size), ascending.
  [[nodiscard]] std::vector<std::uint32_t> live_writers(GmAddress address, std::uint64_t size) const;
  /// Producers of a pending task that have not completed, ascending.
  [[nodiscard]] std::vector<std::uint32_t> missing(std::uint32_t task) const;
  /// Forgets everything; the limits stay.
  void clear();

 private:
  void check(const TaskSpec& spec) const;
  [[nodiscard]] std::vector<std::uint32_t> find_producers(const TaskSpec& spec) const;
  void consume_if_done(Task& task);

  GraphLimits limits_;
  std::deque<Task> tasks_;  ///< by id; a deque keeps argument lists in place while blocks refer to them
  WriterMap writers_;
  std::uint32_t head_ = 0;  ///< slots return in submission order
  std::uint32_t live_ = 0;
  std::uint32_t pool_used_ = 0;
};

}  // namespace npu::model
