// One in-order pipe of a core: its queue, what it has in flight, and how it spent its time.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/flags.hpp"
#include "model/core/ring_buffer.hpp"

namespace npu::model {

/// An operation waits in the queue, starts when what it needs is there, occupies the pipe, and retires when its results
/// are there; meanwhile the next one may have started. Flags and barriers pass through the queue like the others.
class CorePipe {
 public:
  CorePipe(isa::Pipe name, const CoreContext& core) : name_{name}, core_{core} {}

  void begin_block(std::uint64_t time);

  // ---- queue
  [[nodiscard]] bool full() const { return queue_.size() >= core_.params().queue_depth; }
  [[nodiscard]] bool waiting() const { return !queue_.empty(); }
  /// From `time` on the operation may start.
  void push(const isa::Operation& op, std::uint64_t time, const Flags& flags);
  [[nodiscard]] const isa::Operation& front() const { return queue_.front().op; }
  /// Cycle at which the front starts, kNever while that is not known.
  [[nodiscard]] std::uint64_t next_start() const { return next_start_; }
  /// Finds next_start() again after a change of the flags or of the queue.
  void find_start(const Flags& flags);

  // ---- start of the front, at next_start()
  /// Accounts for the time until `time`, and tells that the front starts.
  void start(std::uint64_t time);
  /// A flag or a barrier: takes the pipe for `cycles`. SETFLAG and SETCROSS retire with that, the others leave at once.
  void pass(std::uint64_t time, std::uint64_t cycles);
  /// The front exchanges bytes with global memory. They cannot have passed before `earliest_end`.
  void begin_transfer(std::uint64_t time, std::uint64_t earliest_end);
  [[nodiscard]] bool transferring() const { return transferring_; }
  [[nodiscard]] std::uint64_t transfer_begin() const { return transfer_begin_; }
  [[nodiscard]] std::uint64_t earliest_transfer_end() const { return earliest_transfer_end_; }
  /// The front has occupied the pipe from `begin` to `end`; its results are there at `result`, and for the pipe's own
  /// instructions behind a barrier at `own_result`, which may be later.
  void enter_flight(std::uint64_t begin, std::uint64_t end, std::uint64_t result, std::uint64_t own_result);

  // ---- flight
  /// Cycle at which the oldest operation in flight retires, kNever without one.
  [[nodiscard]] std::uint64_t next_retirement() const {
    return in_flight_.empty() ? kNever : in_flight_.front().retire;
  }
  [[nodiscard]] const isa::Operation& oldest() const { return in_flight_.front().op; }
  /// The operation that has left the pipe last, in this block, and when its own pipe sees its result.
  [[nodiscard]] const isa::Operation& last() const { return last_; }
  [[nodiscard]] std::uint64_t last_visible() const { return last_visible_; }
  [[nodiscard]] std::uint64_t last_retirement() const { return last_retire_; }
  void retire() { in_flight_.pop(); }

  // ---- state and statistics
  [[nodiscard]] bool idle() const { return queue_.empty() && in_flight_.empty(); }
  /// Cycle from which the next operation can have the pipe.
  [[nodiscard]] std::uint64_t free_at() const { return free_at_; }
  /// The block ends: the rest of its time was without instructions.
  void end_block(std::uint64_t time);
  /// The run ends early: what is under way or waited for ends with it.
  void cut_off(std::uint64_t end);
  /// Adds a wait to the statistics and tells of it; none while results of the pipe are under way.
  void wait(std::uint64_t begin, std::uint64_t end, WaitReason reason);
  /// The scalar unit's time passes without a queue.
  void spend(std::uint64_t cycles, std::uint64_t until);
  void count_instruction() { ++stats_.instructions; }
  [[nodiscard]] const PipeStats& stats() const { return stats_; }

 private:
  struct Issued {
    isa::Operation op;
    std::uint64_t time = 0;
  };
  struct InFlight {
    isa::Operation op;
    std::uint64_t retire = 0;
  };

  /// A pipe is busy until its results are there; those of several operations may be under way at a time.
  void add_busy(std::uint64_t begin, std::uint64_t end);
  /// Tells how long the last operation has occupied the pipe: until its result is there, or the next one begins.
  void tell_occupied(std::uint64_t begin_of_next);

  isa::Pipe name_;
  const CoreContext& core_;
  RingBuffer<Issued> queue_;
  RingBuffer<InFlight> in_flight_;  ///< in order of retirement
  std::uint64_t free_at_ = 0;
  std::uint64_t next_start_ = kNever;
  std::uint64_t last_retire_ = 0;
  std::uint64_t busy_until_ = 0;  ///< results of what the pipe has left are there
  isa::Operation last_;
  std::uint64_t last_visible_ = 0;
  std::uint64_t last_begin_ = 0, last_end_ = 0;
  bool untold_ = false;  ///< the observers do not know yet how long `last_` has occupied the pipe
  bool transferring_ = false;
  std::uint64_t transfer_begin_ = 0, earliest_transfer_end_ = 0;
  PipeStats stats_;
};

}  // namespace npu::model
