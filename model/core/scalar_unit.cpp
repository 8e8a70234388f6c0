#include "model/core/scalar_unit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Operation;

bool holds(isa::CompareMode mode, std::int64_t a, std::int64_t b) {
  switch (mode) {
    case isa::CompareMode::Eq:
      return a == b;
    case isa::CompareMode::Ne:
      return a != b;
    case isa::CompareMode::Gt:
      return a > b;
    case isa::CompareMode::Ge:
      return a >= b;
    case isa::CompareMode::Lt:
      return a < b;
    case isa::CompareMode::Le:
      return a <= b;
  }
  return false;
}

ScalarUnit::ScalarUnit(const CoreContext& core, const Parts& parts)
    : core_{core},
      pipes_{parts.pipes},
      cross_flags_{parts.cross_flags},
      execution_{parts.execution},
      data_{parts.data},
      wake_{parts.wake} {}

// ---- time --------------------------------------------------------------------------------------------------------

void ScalarUnit::spend(std::uint64_t cycles) {
  time_ += cycles;
  scalar_pipe().spend(cycles, time_);
}

void ScalarUnit::complete(std::uint64_t cycles) {
  spend(cycles);
  scalar_pipe().count_instruction();
}

void ScalarUnit::wait_until(std::uint64_t time, WaitReason reason) {
  if (time <= time_) return;
  scalar_pipe().wait(time_, time, reason);
  time_ = time;
}

bool ScalarUnit::wait_for(State state, WaitReason reason, const Awaited& awaited) {
  state_ = state;
  reason_ = reason;
  awaited_ = awaited;
  since_ = time_;
  return false;
}

void ScalarUnit::resume(std::uint64_t time) {
  wait_until(time, reason_);
  state_ = State::Ready;
}

bool ScalarUnit::arrive_in_order(std::uint64_t time) {
  wait_until(time, WaitReason::Memory);
  wait_in_order(true);
  return false;
}

void ScalarUnit::wait_in_order(bool meets_others) {
  in_order_ = true;
  meets_others_ = meets_others;
}

void ScalarUnit::begin_block(std::uint64_t time, std::uint64_t ready) {
  state_ = State::Ready;
  in_order_ = false;
  time_ = since_ = time;
  data_.begin_block(time);
  wait_until(ready, WaitReason::Memory);
}

void ScalarUnit::end_block() {
  finishing_ = false;
  state_ = State::Idle;
}

void ScalarUnit::queue_moved(isa::Pipe pipe, std::uint64_t time) {
  if (state_ == State::Queue && awaited_.pipe == pipe) {
    resume(time);
  } else {
    operation_retired(time);
  }
}

void ScalarUnit::operation_retired(std::uint64_t time) {
  if (state_ == State::Barrier || state_ == State::Drain) resume(time);
}

void ScalarUnit::flag_set(std::uint64_t time) {
  if (state_ == State::Flag) resume(time);
}

void ScalarUnit::cross_flag_arrives(std::uint64_t time) { resume(std::max(time_, time)); }

void ScalarUnit::cut_off(std::uint64_t end) {
  const bool blocked = state_ != State::Ready && state_ != State::Idle;
  scalar_pipe().wait(time_, end, blocked ? reason_ : WaitReason::Instruction);
}

// ---- pipes, flags, barriers --------------------------------------------------------------------------------------

bool ScalarUnit::issue(const Operation& op) {
  if (pipes_[op.pipe].full()) return wait_for(State::Queue, WaitReason::QueueFull, {.pipe = op.pipe});
  const std::uint64_t cycles = core_.params().scalar_cycles;
  pipes_.push(op, time_ + cycles);
  spend(cycles);
  return true;
}

bool ScalarUnit::synchronise(const Operation& op) {
  switch (op.opcode) {
    case Opcode::WaitFlag: {
      const std::uint64_t set = pipes_.flags().set_at(op.flag_from, isa::Pipe::S, op.flag);
      if (set == kNever) return wait_for(State::Flag, WaitReason::Flag, {.pipe = op.flag_from, .flag = op.flag});
      wait_until(set, WaitReason::Flag);
      pipes_.take_flag(op.flag_from, isa::Pipe::S, op.flag);
      break;
    }
    case Opcode::SetFlag:
      pipes_.set_flag(isa::Pipe::S, op.flag_to, op.flag, time_, op.index);
      break;
    case Opcode::PipeBarrier:
      if (!wait_idle(State::Barrier, WaitReason::Barrier)) return false;
      break;
    case Opcode::WaitCross:
      if (!wait_cross(op.flag)) return false;
      break;
    default:
      core_.fail(op.index, "a cross-core flag is set by a pipe that does work, not by the scalar unit");
  }
  core_.tell([&](Observer& o) { o.operation_started(core_.where, op, Cycles{time_}); });
  core_.tell([&](Observer& o) { o.operation_retired(core_.where, op, Cycles{time_}); });
  return true;
}

/// Every pipe has run dry; the scalar unit's time is not before their last retirement.
bool ScalarUnit::wait_idle(State state, WaitReason reason) {
  if (!pipes_.idle()) return wait_for(state, reason, {});
  wait_until(pipes_.idle_since(time_), reason);
  return true;
}

bool ScalarUnit::wait_cross(std::uint32_t id) {
  const std::uint64_t arrived = cross_flags_.arrived(id);
  if (arrived == kNever) return wait_for(State::Cross, WaitReason::CrossFlag, {.flag = id});
  if (arrived > time_) {
    wait_until(arrived, WaitReason::CrossFlag);
    wait_in_order(true);
    return false;
  }
  cross_flags_.take(id);
  return true;
}

bool ScalarUnit::finish() {
  if (!wait_idle(State::Drain, WaitReason::Drain)) return false;
  finishing_ = true;
  return arrive_in_order(time_);
}

// ---- memory ------------------------------------------------------------------------------------------------------

std::int64_t ScalarUnit::load_element(const Operation& op) const {
  tell_access(op);
  return data_.load_element(op.accesses[0]);
}

void ScalarUnit::store_element(const Operation& op, std::int64_t value, bool has_value) {
  tell_access(op);
  data_.store_element(op.accesses[0], value);
  execution_.element_stored(op.accesses[0], has_value);
}

bool ScalarUnit::reach(const Operation& op) {
  const std::uint64_t address = op.accesses[0].begin;
  core_.named(op.index, [&] { data_.require_accessible(op.accesses[0]); });
  if (!data_.hits(address)) {
    if (!fill_arrives_) {
      fill_arrives_ = true;
      return arrive_in_order(time_ + data_.fill_cycles(address));
    }
    data_.fill(address, time_);
  }
  fill_arrives_ = false;
  return true;
}

std::int64_t ScalarUnit::load(const Operation& op) {
  tell_access(op);
  return data_.load(op.accesses[0]);
}

void ScalarUnit::store(const Operation& op, std::int64_t value) {
  tell_access(op);
  data_.store(op.accesses[0], value);
}

void ScalarUnit::drain_stores() {
  wait_until(data_.stores_done(), WaitReason::Memory);
  core_.tell([&](Observer& o) { o.stores_drained(core_.where, Cycles{time_}); });
}

void ScalarUnit::clean(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t lines = data_.clean(begin, end, time_);
  const std::uint64_t cycles = cycles_of_ns(core_.env.machine.params, core_.params().dcci_ns);
  wait_until(time_ + std::max<std::uint64_t>(1, lines) * cycles, WaitReason::Memory);
}

// ---- cells -------------------------------------------------------------------------------------------------------

void ScalarUnit::notify(const Operation& op, std::int32_t value, bool add) {
  const std::uint64_t address = op.accesses[0].begin;
  const std::uint64_t arrival = core_.named(op.index, [&] { return data_.send(address, time_); });
  tell_access(op);
  const Notify notify{.address = address, .value = value, .add = add, .sender = core_.where, .sent = time_};
  core_.tell([&](Observer& o) { o.notify_sent(core_.where, notify, Cycles{time_}); });
  core_.services.notifies->post(arrival, notify);
}

std::int32_t ScalarUnit::test(const Operation& op) const {
  return core_.named(op.index, [&] { return data_.read_cell(op.accesses[0].begin); });
}

bool ScalarUnit::wait_cell(const Operation& op, isa::CompareMode mode, std::int64_t value) {
  const std::uint64_t address = op.accesses[0].begin;
  if (!watching_) {
    (void)test(op);
    if (const std::uint32_t card = card_of(GmAddress{address}); card != core_.where.card) {
      core_.fail(op.index,
                 fmt::format("cell {:#x} of {} is on card {}; limit: twait polls a cell of its own card, {}; way out: "
                             "let the other card notify a cell here",
                             address, core_.services.memory.allocation_name(address), card, core_.where.card));
    }
    awaited_ = {.cell = address, .mode = mode, .value = value};
  }
  tell_awaited();
  if (!holds(mode, test(op), value)) {
    if (!watching_) {
      core_.services.notifies->watch(address, *this);
      watching_ = true;
      return wait_for(State::Cell, WaitReason::Notify, awaited_);
    }
    return false;
  }
  if (watching_) {
    core_.services.notifies->unwatch(address, *this);
    watching_ = false;
    resume(core_.env.clock.now());
  }
  const Notify* by = was_notified_ ? &last_notify_ : nullptr;
  core_.tell([&](Observer& o) { o.wait_passed(core_.where, address, by, Cycles{time_}); });
  const Params& params = core_.env.machine.params;
  wait_until(time_ + cycles_of_ns(params, params.link.poll_ns), WaitReason::Notify);
  was_notified_ = false;
  return true;
}

void ScalarUnit::tell_awaited() const {
  if (core_.env.observers.empty()) return;
  const CellWait wait{.cell = awaited_.cell,
                      .tensor = core_.services.memory.allocation_name(awaited_.cell),
                      .mode = awaited_.mode,
                      .value = awaited_.value,
                      .by = was_notified_ ? &last_notify_ : nullptr};
  core_.tell([&](Observer& o) { o.cell_awaited(core_.where, wait, Cycles{time_}); });
}

void ScalarUnit::cell_written(const Notify* notify) {
  was_notified_ = notify != nullptr;
  if (was_notified_) last_notify_ = *notify;
  wake_.notify(sc_core::SC_ZERO_TIME);
}

// ---- report ------------------------------------------------------------------------------------------------------

std::string ScalarUnit::wait_text() const {
  const auto reason = traces::kWaitReasonNames[static_cast<std::size_t>(reason_)];
  switch (state_) {
    case State::Idle:
    case State::Ready:
      return "executes scalar instructions";
    case State::Cell:
      return fmt::format("twait for cell {:#x} of {} (value {}, wants {} {})", awaited_.cell,
                         core_.services.memory.allocation_name(awaited_.cell), data_.read_cell(awaited_.cell),
                         isa::kCompareModeNames[static_cast<std::size_t>(awaited_.mode)], awaited_.value);
    case State::Cross:
      return fmt::format("waits for cross-core flag {} from {}", awaited_.flag,
                         core_.where.kind == isa::CoreKind::AIC ? "both vector cores" : "the cube core");
    case State::Flag:
      return fmt::format("waits for flag {} from {}", awaited_.flag, isa::name_of(awaited_.pipe));
    case State::Queue:
      return fmt::format("waits for room in the queue of {} ({})", isa::name_of(awaited_.pipe), reason);
    case State::Barrier:
    case State::Drain:
      return fmt::format("waits until the other pipes have finished ({})", reason);
  }
  return {};
}

}  // namespace npu::model
