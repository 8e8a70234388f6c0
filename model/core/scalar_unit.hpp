// The scalar unit of a core: its local time, and what a source of operations can do there.
#pragma once

#include <cstdint>
#include <string>
#include <systemc>

#include "isa/operation.hpp"
#include "isa/program.hpp"
#include "model/core/core_context.hpp"
#include "model/core/data_port.hpp"
#include "model/core/execution.hpp"
#include "model/core/flags.hpp"
#include "model/core/pipe_set.hpp"

namespace npu::model {

/// Whether `a mode b` holds.
[[nodiscard]] bool holds(isa::CompareMode mode, std::int64_t a, std::int64_t b);

/// Runs ahead of the rest of its core and of the system as far as the source's order() allows, on a time of its own.
class ScalarUnit final : private CellWatcher {
 public:
  /// What else a core consists of; all of it outlives the scalar unit.
  struct Parts {
    PipeSet& pipes;
    CrossFlags& cross_flags;
    Execution& execution;
    DataPort& data;
    sc_core::sc_event& wake;  ///< of the core, notified when a cell was written
  };
  ScalarUnit(const CoreContext& core, const Parts& parts);

  // ---- for the source. What returns false has to wait.
  [[nodiscard]] std::uint64_t time() const { return time_; }
  /// An instruction of the scalar unit itself has executed in this time.
  void complete(std::uint64_t cycles);
  /// A mover, cube or vector operation goes to its pipe, a flag or barrier to the pipe that it names.
  [[nodiscard]] bool issue(const isa::Operation& op);
  /// A flag, cross-core flag or barrier of the scalar unit itself takes effect.
  [[nodiscard]] bool synchronise(const isa::Operation& op);
  /// LDTILE, STTILE.
  [[nodiscard]] std::int64_t load_element(const isa::Operation& op) const;
  void store_element(const isa::Operation& op, std::int64_t value, bool has_value);
  /// LDGM, STGM through the data cache: whether the line is there, after which the access takes no time.
  [[nodiscard]] bool hits(std::uint64_t address) { return data_.hits(address); }
  [[nodiscard]] bool reach(const isa::Operation& op);
  [[nodiscard]] std::int64_t load(const isa::Operation& op);
  void store(const isa::Operation& op, std::int64_t value);
  /// Whether timing mode has computed what a load reads.
  [[nodiscard]] bool has_value(const isa::Operation& op) const { return execution_.has_value(op.accesses[0]); }
  /// DCCI of the lines that hold a byte of [begin, end).
  void clean(std::uint64_t begin, std::uint64_t end);
  /// DSB.
  void drain_stores();
  /// TNOTIFY, TTEST, TWAIT of the cell that the operation names.
  void notify(const isa::Operation& op, std::int32_t value, bool add);
  [[nodiscard]] std::int32_t test(const isa::Operation& op) const;
  [[nodiscard]] bool wait_cell(const isa::Operation& op, isa::CompareMode mode, std::int64_t value);
  /// The block ends here, once the pipes have run dry. Never done: the core ends the block.
  [[nodiscard]] bool finish();

  // ---- for the core
  /// The core is taken from `time` on; the program begins at `ready`.
  void begin_block(std::uint64_t time, std::uint64_t ready);
  void end_block();
  /// The source may go on at once.
  [[nodiscard]] bool runs_ahead() const { return state_ == State::Ready && !in_order_; }
  /// It goes on when the others have come to its time().
  [[nodiscard]] bool waits_in_order() const { return state_ == State::Ready && in_order_; }
  /// ... the other cores among them.
  [[nodiscard]] bool meets_others() const { return meets_others_; }
  void wait_in_order(bool meets_others);
  void leave_order() { in_order_ = meets_others_ = false; }
  [[nodiscard]] bool watches_cell() const { return state_ == State::Cell; }
  [[nodiscard]] bool finishing() const { return finishing_; }
  /// A place in the queue of the pipe became free, and perhaps the pipe dry.
  void queue_moved(isa::Pipe pipe, std::uint64_t time);
  void operation_retired(std::uint64_t time);
  void flag_set(std::uint64_t time);
  void cross_flag_arrives(std::uint64_t time);
  [[nodiscard]] bool waits_for_cross_flag() const { return state_ == State::Cross; }
  /// The run ends early, at `end`.
  void cut_off(std::uint64_t end);
  [[nodiscard]] std::uint64_t stores_done() const { return data_.stores_done(); }
  /// What it waits for or does, and since when.
  [[nodiscard]] std::string wait_text() const;
  [[nodiscard]] std::uint64_t waits_since() const { return since_; }

 private:
  enum class State : std::uint8_t { Idle, Ready, Queue, Flag, Cross, Cell, Barrier, Drain };
  /// What the state waits for, for wait_text().
  struct Awaited {
    isa::Pipe pipe = isa::Pipe::S;  ///< whose queue is full, or that sets the flag
    std::uint32_t flag = 0;
    std::uint64_t cell = 0;
    isa::CompareMode mode = isa::CompareMode::Eq;
    std::int64_t value = 0;
  };

  void cell_written(const Notify* notify) override;
  void tell_access(const isa::Operation& op) const {
    core_.tell([&](Observer& o) { o.scalar_accessed(core_.where, op, Cycles{time_}); });
  }
  void tell_awaited() const;
  void spend(std::uint64_t cycles);
  void wait_until(std::uint64_t time, WaitReason reason);
  [[nodiscard]] bool wait_for(State state, WaitReason reason, const Awaited& awaited);
  /// At `time` the operation at hand takes effect, in order with the rest of the system.
  [[nodiscard]] bool arrive_in_order(std::uint64_t time);
  void resume(std::uint64_t time);
  [[nodiscard]] bool wait_idle(State state, WaitReason reason);
  [[nodiscard]] bool wait_cross(std::uint32_t id);
  [[nodiscard]] CorePipe& scalar_pipe() { return pipes_[isa::Pipe::S]; }

  const CoreContext& core_;
  PipeSet& pipes_;
  CrossFlags& cross_flags_;
  Execution& execution_;
  DataPort& data_;
  sc_core::sc_event& wake_;

  State state_ = State::Idle;
  WaitReason reason_ = WaitReason::Drain;
  Awaited awaited_;
  std::uint64_t time_ = 0;     ///< cycle at which the scalar unit is free
  std::uint64_t since_ = 0;    ///< start of the block, or of the wait
  bool in_order_ = false;      ///< its next step must meet local events in order
  bool meets_others_ = false;  ///< ... and the other cores
  bool fill_arrives_ = false;  ///< the line that the load or store at hand needs is on its way
  bool watching_ = false, finishing_ = false;
  bool was_notified_ = false;
  Notify last_notify_;
};

}  // namespace npu::model
