// The scheduler threads of a card (AICPU): poll completions, release successors, dispatch blocks.
//
// Modelled: each thread is a serial server that owns every threads-th cluster; ready lanes per shape (cohorts that
// start together, then mixed, cube, vector); SPMD blocks claimed one at a time in waves; two slots per core; the costs
// of scheduler_costs.hpp. Among blocks that are ready at once the order is by cycle, thread and core index, never by
// the order in which SystemC runs processes. Not modelled: early dispatch, speculative lanes, queue capacities, the
// sweep over cores without news (poll is charged per completion).
// Source: runtime.md section 1.7, machine.md section 7.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <systemc>
#include <vector>

#include "model/environment.hpp"
#include "model/system/core_pool.hpp"
#include "model/system/task_graph.hpp"
#include "model/system/wait_table.hpp"

namespace npu::model {

/// busy + idle is the thread's share of the run.
struct SchedulerThreadStats {
  std::uint64_t busy = 0, idle = 0;  ///< cycles
};

class Scheduler final : public sc_core::sc_module, private BlockObserver {
 public:
  /// `graph` outlives the scheduler; `card` is the card's index.
  Scheduler(const sc_core::sc_module_name& name, Environment env, std::uint32_t card, const SchedulerCosts& costs,
            TaskGraph& graph, const CoreFactory& factory);

  /// The card starts: statistics and lanes are empty, the graph has been cleared.
  void begin_run();
  /// The card has finished: closes the threads' idle time.
  void end_run();
  /// The run ends early: closes what is open at `cycle`, and counts the blocks that run as far as they came. Nothing
  /// follows.
  void cut_off(std::uint64_t cycle);
  /// A submitted task. Throws ProgramError REQUIRE_SYNC_START_INVALID.
  void add(TaskId id);
  /// Notified whenever a task has completed.
  [[nodiscard]] const sc_core::sc_event& task_completed() const { return task_completed_; }
  void on_task_completed(std::function<void()> listener) { listener_ = std::move(listener); }

  [[nodiscard]] std::vector<TaskStats> task_stats() const;
  [[nodiscard]] const std::vector<SchedulerThreadStats>& thread_stats() const { return thread_stats_; }
  /// By core kind, summed over the run's blocks.
  [[nodiscard]] const PipeTable& pipe_stats() const { return pipes_; }
  [[nodiscard]] std::uint32_t core_count() const { return pool_.size(); }
  /// Grows whenever an instruction retires or a block ends.
  [[nodiscard]] std::uint64_t progress() const;
  /// Appends one row per task that cannot go on (up to a limit) and per core that waits.
  void describe_waits(std::vector<WaitRow>& rows) const;
  /// The cycle up to which the furthest core has simulated.
  [[nodiscard]] std::uint64_t latest() const;
  /// A thread works, a completion or a block is on its way, or a core goes on.
  [[nodiscard]] bool goes_on() const;
  [[nodiscard]] bool any_block_runs() const { return parts_on_cores_ > 0; }
  [[nodiscard]] bool any_task_ready() const;

 private:
  /// A task in execution; the same index as in the graph.
  struct TaskRun {
    Shape shape = Shape::Vector;
    std::uint32_t next_block = 0;
    std::uint64_t parts_left = 0;       ///< whose completion has not been polled
    std::uint64_t payload_threads = 0;  ///< bit per thread that has built the payload
    std::uint64_t since = 0;            ///< cycle of the last change of state
    bool started = false;
    std::uint32_t last_core = 0;  ///< of the part that ended last
    TaskStats stats;
    std::map<std::uint32_t, std::uint64_t> core_cycles;  ///< by core that has run a block
  };
  struct Completion {
    std::uint64_t visible;
    std::uint32_t core, task, block;
    [[nodiscard]] bool operator<(const Completion& o) const {
      return visible != o.visible ? visible < o.visible : core < o.core;
    }
  };
  struct Claim {
    Part part;
    std::vector<std::uint32_t> cores;
  };
  /// What a thread works for; one core of a block stands for all of them.
  struct Subject {
    std::uint32_t task;
    std::optional<std::uint32_t> block, core;
  };
  struct Thread {
    std::optional<SchedulerWork> work;
    Completion completion{};  ///< of Poll and Resolve
    Claim claim;              ///< of Dispatch
    Subject subject{};        ///< that the work is for
    std::uint64_t since = 0;  ///< cycle at which the work began, or the last one ended
    std::multiset<Completion> completions;
    std::deque<Claim> claims;  ///< of cohorts, to be published
  };
  enum class EventKind : std::uint8_t { StartCore, ThreadDone, Wake };
  struct Event {
    std::uint64_t cycle;
    EventKind kind;
    std::uint32_t index;
    [[nodiscard]] bool operator>(const Event& o) const {
      if (cycle != o.cycle) return cycle > o.cycle;
      if (kind != o.kind) return kind > o.kind;
      return index > o.index;
    }
  };
  struct Lane {
    std::deque<std::uint32_t> cohorts, tasks;
  };

  [[nodiscard]] static std::vector<Thread> make_threads(Environment env, std::uint32_t card, std::uint32_t count);
  void block_finished(std::uint32_t core, const BlockStats& stats) override;
  void advance();  // SC_METHOD
  void run_events(std::uint64_t now);
  void handle(const Event& event);
  void push_event(std::uint64_t cycle, EventKind kind, std::uint32_t index);
  void count_block(std::uint32_t core, const Part& part, const BlockStats& stats);
  void plan_starts(std::uint32_t core, std::uint64_t now);
  void start_core(std::uint32_t core, std::uint64_t now);
  void tell_load(std::uint64_t now) const;
  void end_trace(std::uint64_t now) const;
  void make_ready(std::uint32_t task, std::uint64_t now);

  [[nodiscard]] bool begin_work(std::uint32_t thread, std::uint64_t now);
  void end_work(std::uint32_t thread, std::uint64_t now);
  void close_work(std::uint32_t thread, std::uint64_t now);
  void occupy(std::uint32_t thread, SchedulerWork work, std::uint64_t now, std::uint64_t cost, const Subject& subject);
  void begin_publish(std::uint32_t thread, Claim claim, std::uint64_t now);
  void end_resolve(std::uint32_t task, std::uint64_t now);
  void claim_cohorts();
  [[nodiscard]] std::optional<Claim> claim_block(std::uint32_t thread);
  [[nodiscard]] Claim claim_at(std::deque<std::uint32_t>& queue, std::uint32_t place);
  [[nodiscard]] bool held_back(Shape shape) const;
  [[nodiscard]] Lane& lane(Shape shape) { return lanes_[static_cast<std::size_t>(shape)]; }
  [[nodiscard]] const Lane& lane(Shape shape) const { return lanes_[static_cast<std::size_t>(shape)]; }
  [[nodiscard]] std::string describe(std::uint32_t task) const;

  Environment env_;
  std::uint32_t card_;
  SchedulerCosts costs_;
  TaskGraph& graph_;
  std::vector<Thread> threads_;
  CorePool pool_;
  std::vector<std::uint64_t> since_;  ///< by core: of the block whose start is planned
  std::vector<TaskRun> runs_;
  std::array<Lane, kShapeCount> lanes_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  sc_core::sc_event wake_{"wake"};
  sc_core::sc_event task_completed_{"task_completed"};
  std::function<void()> listener_;
  std::uint32_t parts_on_cores_ = 0;
  std::uint64_t parts_ended_ = 0;
  std::vector<SchedulerThreadStats> thread_stats_;
  PipeTable pipes_{};
};

}  // namespace npu::model
