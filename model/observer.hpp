// What happens in the model, told once to whoever listens: traces, checks, counters. No event may change what the model
// does, and without listeners an event costs a test of an empty list.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "isa/operation.hpp"
#include "isa/units.hpp"
#include "model/core/core_location.hpp"
#include "traces/sink.hpp"

namespace npu::model {

struct Block;
struct Notify;
using isa::Cycles;
using traces::WaitReason;

enum class HostQueue : std::uint8_t { Runs, Downloads };
/// What a scheduler thread does when it does something.
enum class SchedulerWork : std::uint8_t { Poll, Resolve, Dispatch };
struct ThreadWork {
  std::uint32_t card, thread;
  SchedulerWork work;
  std::uint32_t task;  ///< index on its card, in order of submission
  std::string_view task_name;
  std::optional<std::uint32_t> block;
  std::optional<CoreLocation> core;  ///< one core of a block stands for all of them
};

/// What a TWAIT waits for, until it has it.
struct CellWait {
  std::uint64_t cell;       ///< address
  std::string_view tensor;  ///< that holds it
  isa::CompareMode mode;
  std::int64_t value;
  const Notify* by;  ///< the last notify that the cell got meanwhile; null without one
};

/// Listens to a run. Every hook does nothing by default. Times are cycles of the core clock since the start of the
/// simulation. Events of one unit (a pipe, the scalar unit) arrive in order of time; a core may run ahead of the others
/// between two interactions with them, so across cores the order is that of the simulation, not of time.
class Observer {
 public:
  virtual ~Observer() = default;

  // ---- host, orchestrators and schedulers. Tasks are named by their index on their card, in order of submission.
  /// Once, before the simulation starts, like the following two.
  virtual void host_added() {}
  /// Before the cores of the card.
  virtual void card_added(std::uint32_t /*card*/, std::uint32_t /*scheduler_threads*/) {}
  virtual void host_worked(HostQueue, std::string_view /*what*/, Cycles /*begin*/, Cycles /*end*/) {}
  virtual void task_submitted(std::uint32_t /*card*/, std::uint32_t /*task*/, std::string_view /*name*/,
                              Cycles /*begin*/, Cycles /*end*/) {}
  /// The first block of a task starts on `to`, after a task that it depends on: the last block of that ended on `from`.
  virtual void dependency_met(const CoreLocation& /*from*/, Cycles /*end*/, const CoreLocation& /*to*/, Cycles /*at*/) {
  }
  virtual void thread_worked(const ThreadWork&, Cycles /*begin*/, Cycles /*end*/) {}
  /// What holds from then on; told after every change, perhaps also without one.
  virtual void card_loaded(std::uint32_t /*card*/, Cycles /*at*/, std::uint32_t /*busy_cores*/,
                           std::uint64_t /*ready_tasks*/) {}
  /// Nothing more happens on the card in this run.
  virtual void card_ended(std::uint32_t /*card*/, Cycles /*at*/) {}

  // ---- cores
  /// Once per core, before the simulation starts, card by card in index order.
  virtual void core_added(const CoreLocation&, const isa::ArchSpec&) {}

  virtual void block_started(const CoreLocation&, const Block&, Cycles /*at*/) {}
  /// The block has come to its end, or the run has.
  virtual void block_ended(const CoreLocation&, const Block&, Cycles /*begin*/, Cycles /*end*/) {}

  /// The scalar unit has put the operation into the queue of its pipe.
  virtual void operation_issued(const CoreLocation&, const isa::Operation&, Cycles /*at*/) {}
  /// What it waits for has happened: its pipe, the flag of a WAITFLAG (taken with this), the barrier.
  virtual void operation_started(const CoreLocation&, const isa::Operation&, Cycles /*at*/) {}
  /// It has occupied its pipe. Flags and barriers do not say so.
  virtual void operation_occupied(const CoreLocation&, const isa::Operation&, Cycles /*begin*/, Cycles /*end*/) {}
  /// Its results are there; a flag is set, a cross-core flag is on its way.
  virtual void operation_retired(const CoreLocation&, const isa::Operation&, Cycles /*at*/) {}
  /// A pipe did not work.
  virtual void pipe_waited(const CoreLocation&, isa::Pipe, WaitReason, Cycles /*begin*/, Cycles /*end*/) {}

  /// The scalar unit reads or writes an element of a tile, or of global memory through its data cache, or sends a
  /// notify.
  virtual void scalar_accessed(const CoreLocation&, const isa::Operation&, Cycles /*at*/) {}
  /// A DSB has waited for everything that the scalar unit has stored.
  virtual void stores_drained(const CoreLocation&, Cycles /*at*/) {}
  /// The line at this address of global memory has come into the data cache of a scalar unit.
  virtual void line_filled(const CoreLocation&, std::uint64_t /*address*/, Cycles /*at*/) {}
  /// Its bytes have gone to memory.
  virtual void line_written_back(const CoreLocation&, std::uint64_t /*address*/, Cycles /*at*/) {}
  /// It has left the cache.
  virtual void line_dropped(const CoreLocation&, std::uint64_t /*address*/, Cycles /*at*/) {}

  virtual void notify_sent(const CoreLocation&, const Notify&, Cycles /*at*/) {}
  /// The cell has its new value.
  virtual void notify_performed(const Notify&, Cycles /*at*/) {}
  /// A TWAIT looks at its cell: for the first time, or after a notify.
  virtual void cell_awaited(const CoreLocation&, const CellWait&, Cycles /*at*/) {}
  /// A TWAIT has found what it waits for in the cell; `by` is the notify that ended its wait, null without one.
  virtual void wait_passed(const CoreLocation&, std::uint64_t /*cell*/, const Notify* /*by*/, Cycles /*at*/) {}
};

/// The listeners of a run, in the order in which they are told.
class Observers {
 public:
  /// The observer outlives the run.
  void add(Observer& observer) { list_.push_back(&observer); }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  /// Calls tell(observer) for each.
  template <class Tell>
  void tell(const Tell& tell) const {
    for (Observer* observer : list_) tell(*observer);
  }

 private:
  std::vector<Observer*> list_;
};

}  // namespace npu::model
