// What a core says about itself: errors with their place, waits, and what is left when a run ends early.
#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/text/disassembler.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Pipe;
using traces::SpanKind;
using traces::WaitReason;

std::string Core::where(std::uint32_t pc) const {
  return fmt::format("kernel {} on {}, block {}, {}", block_.program->name, track_name(where_), block_.block,
                     isa::instruction_text(*block_.program, pc));
}

void Core::fail(std::uint32_t pc, const std::string& message) const {
  throw program_error("{}: {}", where(pc), message);
}

bool Core::goes_on() const {
  if (store_done_ > env_.clock.now()) return true;
  if (!running_) return false;
  const auto transfers = [&](std::uint32_t p) { return pipes_[p].transferring; };
  return next_event().time != kNever || std::any_of(active_pipes_.begin(), active_pipes_.end(), transfers);
}

std::uint64_t Core::latest() const {
  if (!running_) return 0;
  std::uint64_t latest = scalar_time_;
  for (const std::uint32_t p : active_pipes_) latest = std::max(latest, pipes_[p].free_at);
  return latest;
}

BlockStats Core::block_stats(std::uint64_t end) const {
  BlockStats stats{
      .begin = begin_, .end = end, .pipes = {}, .read = isa::Bytes{bytes_read_}, .written = isa::Bytes{bytes_written_}};
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) stats.pipes[p] = pipes_[p].stats;
  return stats;
}

std::optional<BlockStats> Core::cut_off(std::uint64_t cycle) {
  if (!running_) return std::nullopt;
  const std::uint64_t end = std::max(cycle, latest());
  const bool blocked = scalar_ != ScalarState::Ready && scalar_ != ScalarState::Idle;
  account_wait(pipes_[isa::index_of(Pipe::S)], scalar_time_, end, blocked ? scalar_reason_ : WaitReason::Instruction);
  for (const std::uint32_t p : active_pipes_) {
    PipeState& pipe = pipes_[p];
    if (pipe.busy_until > end) pipe.stats.busy -= pipe.busy_until - end;
    if (pipe.transferring) {
      close_span(pipe, pipe.transfer_begin);
      add_busy(pipe, pipe.transfer_begin, end);
      if (env_.sink != nullptr) {
        const Issued& op = pipe.queue.front();
        env_.sink->span(pipe.track, SpanKind::Instruction, op_names_[isa::index_of(op.ins->opcode)],
                        Cycles{pipe.transfer_begin}, Cycles{end}, op.pc);
      }
      continue;
    }
    const bool stuck = !pipe.queue.empty();
    const std::uint64_t asked = stuck ? std::clamp(pipe.queue.front().issue, pipe.free_at, end) : end;
    account_wait(pipe, pipe.free_at, asked, WaitReason::Instruction);
    if (stuck) {
      const Opcode opcode = pipe.queue.front().ins->opcode;
      account_wait(pipe, asked, end, opcode == Opcode::WaitFlag ? WaitReason::Flag : WaitReason::Barrier);
    }
    close_span(pipe, end);
  }
  record_task(end);
  running_ = false;
  return block_stats(end);
}

/// The block in the timeline.
void Core::record_task(std::uint64_t end) const {
  if (env_.sink == nullptr) return;
  traces::Detail detail{block_.block};
  detail.task = block_.task;
  detail.subject = kernel_name_;
  env_.sink->span(track_, SpanKind::Task, block_name_, Cycles{begin_}, Cycles{end}, detail);
}

// ---- waits -------------------------------------------------------------------------------------------------------

std::string Core::scalar_wait() const {
  const isa::Instruction& ins = block_.program->code[pc_];
  switch (scalar_) {
    case ScalarState::Idle:
    case ScalarState::Ready:
      return "executes scalar instructions";
    case ScalarState::Cell:
      return fmt::format("twait for cell {:#x} of {} (value {}, wants {} {})", watched_cell_,
                         services_.memory.allocation_name(watched_cell_), read_cell(watched_cell_),
                         isa::kCompareModeNames[ins.mode], registers_[ins.r1]);
    case ScalarState::Cross:
      return fmt::format("waits for cross-core flag {} from {}", wrapped_sum(ins.imm, registers_[ins.r0]),
                         where_.kind == isa::CoreKind::AIC ? "both vector cores" : "the cube core");
    case ScalarState::Flag:
      return fmt::format("waits for flag {} from {}", wrapped_sum(ins.imm, registers_[ins.r0]),
                         isa::kPipeNames[ins.t0]);
    case ScalarState::Queue:
      return fmt::format("waits for room in the queue of {} ({})", isa::kPipeNames[queue_awaited_],
                         traces::kWaitReasonNames[static_cast<std::size_t>(scalar_reason_)]);
    case ScalarState::Barrier:
    case ScalarState::Drain:
      return fmt::format("waits until the other pipes have finished ({})",
                         traces::kWaitReasonNames[static_cast<std::size_t>(scalar_reason_)]);
  }
  return {};
}

std::string Core::pipe_wait(std::uint32_t p) const {
  const PipeState& pipe = pipes_[p];
  const Issued& front = pipe.queue.front();
  if (pipe.transferring) return "moves data";
  if (front.ins->opcode == Opcode::WaitFlag) {
    return fmt::format("waits for flag {} from {}", front.flag, isa::kPipeNames[front.ins->t0]);
  }
  if (front.ins->opcode == Opcode::PipeBarrier) return "waits until earlier instructions have finished";
  return "goes on by itself";
}

void Core::describe_waits(std::vector<WaitRow>& rows) const {
  if (!running_) return;
  const auto add = [&](std::size_t pipe, std::uint32_t pc, std::uint64_t since, const std::string& what) {
    rows.push_back({.unit = fmt::format("{}.{}", track_name(where_), isa::kPipeNames[pipe]),
                    .what = fmt::format("{} (kernel {}, {})", what, block_.program->name,
                                        isa::instruction_text(*block_.program, pc)),
                    .since = since,
                    .block = block_.block});
  };
  const bool free = scalar_ == ScalarState::Idle || scalar_ == ScalarState::Ready;
  add(isa::index_of(Pipe::S), pc_, free ? begin_ : scalar_since_, scalar_wait());
  for (const std::uint32_t p : active_pipes_) {
    const PipeState& pipe = pipes_[p];
    if (pipe.queue.empty()) continue;
    add(p, pipe.queue.front().pc, pipe.transferring ? pipe.transfer_begin : pipe.free_at, pipe_wait(p));
  }
}

}  // namespace npu::model
