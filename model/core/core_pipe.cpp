#include "model/core/core_pipe.hpp"

#include <algorithm>

namespace npu::model {

using isa::Opcode;

namespace {

WaitReason reason_of(Opcode opcode) {
  if (opcode == Opcode::WaitFlag) return WaitReason::Flag;
  if (opcode == Opcode::PipeBarrier) return WaitReason::Barrier;
  return WaitReason::Instruction;
}

}  // namespace

void CorePipe::begin_block(std::uint64_t time) {
  free_at_ = last_retire_ = busy_until_ = time;
  last_visible_ = 0;
  next_start_ = kNever;
  stats_ = {};
}

void CorePipe::push(const isa::Operation& op, std::uint64_t time, const Flags& flags) {
  Issued& issued = queue_.push();
  issued.op = op;
  issued.time = time;
  core_.tell([&](Observer& o) { o.operation_issued(core_.where, op, Cycles{time}); });
  if (queue_.size() == 1) find_start(flags);
}

void CorePipe::find_start(const Flags& flags) {
  next_start_ = kNever;
  if (queue_.empty() || transferring_) return;
  const Issued& front = queue_.front();
  std::uint64_t start = std::max(free_at_, front.time);
  if (front.op.opcode == Opcode::WaitFlag) {
    const std::uint64_t set = flags.set_at(front.op.flag_from, name_, front.op.flag);
    if (set == kNever) return;
    start = std::max(start, set);
  } else if (front.op.opcode == Opcode::PipeBarrier) {
    start = std::max({start, last_retire_, last_visible_});
  }
  next_start_ = start;
}

void CorePipe::start(std::uint64_t time) {
  const Issued& front = queue_.front();
  const std::uint64_t asked = std::min(std::max(front.time, free_at_), time);
  wait(free_at_, asked, WaitReason::Instruction);
  wait(asked, time, reason_of(front.op.opcode));
  core_.tell([&](Observer& o) { o.operation_started(core_.where, front.op, Cycles{time}); });
}

void CorePipe::pass(std::uint64_t time, std::uint64_t cycles) {
  const isa::Operation& op = queue_.front().op;
  add_busy(time, time + cycles);
  ++stats_.instructions;
  free_at_ = time + cycles;
  if (op.opcode == Opcode::SetFlag || op.opcode == Opcode::SetCross) {
    InFlight& flight = in_flight_.push();
    flight.retire = last_retire_ = std::max(last_retire_, free_at_);
    flight.op = op;
  }
  queue_.pop();
}

void CorePipe::begin_transfer(std::uint64_t time, std::uint64_t earliest_end) {
  transferring_ = true;
  transfer_begin_ = time;
  earliest_transfer_end_ = earliest_end;
  next_start_ = kNever;
}

void CorePipe::enter_flight(std::uint64_t begin, std::uint64_t end, std::uint64_t result, std::uint64_t own_result) {
  transferring_ = false;
  add_busy(begin, result);
  ++stats_.instructions;
  free_at_ = end;
  tell_occupied(begin);
  last_ = queue_.front().op;
  last_visible_ = own_result;
  last_begin_ = begin;
  last_end_ = result;
  untold_ = !core_.env.observers.empty();
  InFlight& flight = in_flight_.push();
  flight.retire = last_retire_ = std::max(last_retire_, result);
  flight.op = last_;
  queue_.pop();
}

void CorePipe::add_busy(std::uint64_t begin, std::uint64_t end) {
  begin = std::max(begin, busy_until_);
  if (end <= begin) return;
  stats_.busy += end - begin;
  busy_until_ = end;
}

void CorePipe::tell_occupied(std::uint64_t begin_of_next) {
  if (!untold_) return;
  untold_ = false;
  const Cycles end{std::min(last_end_, begin_of_next)};
  core_.tell([&](Observer& o) { o.operation_occupied(core_.where, last_, Cycles{last_begin_}, end); });
}

void CorePipe::end_block(std::uint64_t time) {
  wait(free_at_, time, WaitReason::Instruction);
  tell_occupied(time);
}

void CorePipe::cut_off(std::uint64_t end) {
  if (busy_until_ > end) stats_.busy -= busy_until_ - end;
  if (transferring_) {
    tell_occupied(transfer_begin_);
    add_busy(transfer_begin_, end);
    core_.tell([&](Observer& o) {
      o.operation_occupied(core_.where, queue_.front().op, Cycles{transfer_begin_}, Cycles{end});
    });
    return;
  }
  const bool stuck = !queue_.empty();
  const std::uint64_t asked = stuck ? std::clamp(queue_.front().time, free_at_, end) : end;
  wait(free_at_, asked, WaitReason::Instruction);
  if (stuck) wait(asked, end, front().opcode == Opcode::WaitFlag ? WaitReason::Flag : WaitReason::Barrier);
  tell_occupied(end);
}

void CorePipe::wait(std::uint64_t begin, std::uint64_t end, WaitReason reason) {
  begin = std::max(begin, busy_until_);
  if (end <= begin) return;
  tell_occupied(begin);
  stats_.wait[static_cast<std::size_t>(reason)] += end - begin;
  core_.tell([&](Observer& o) { o.pipe_waited(core_.where, name_, reason, Cycles{begin}, Cycles{end}); });
}

void CorePipe::spend(std::uint64_t cycles, std::uint64_t until) {
  stats_.busy += cycles;
  free_at_ = until;
}

}  // namespace npu::model
