#include "model/core/core.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Pipe;
using traces::SpanKind;
using traces::WaitReason;

Core::Core(const sc_core::sc_module_name& name, Environment env, const CoreLocation& where,
           const CoreServices& services, BlockObserver& observer)
    : sc_module{name},
      env_{env},
      where_{where},
      services_{services},
      observer_{observer},
      cache_{env.machine.params.core.cache_lines, env.machine.arch.cache_line} {
  using enum Pipe;
  const auto has =
      where.kind == isa::CoreKind::AIC ? std::vector{S, MTE2, MTE1, M, FIX, MTE3} : std::vector{S, MTE2, V, MTE3};
  for (const Pipe p : has) {
    if (p != S) active_pipes_.push_back(static_cast<std::uint32_t>(p));
  }
  for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
    const bool on_vector = static_cast<isa::Space>(s) == isa::Space::UB;
    if (on_vector == (where.kind == isa::CoreKind::AIV))
      spaces_[s] = LocalSpace{env.machine.arch.buffers[s].physical.count()};
  }
  flags_.assign(isa::kPipeCount * isa::kPipeCount * env.machine.arch.flags_per_pair, kNever);
  cross_arrivals_.resize(env.machine.arch.cross_flags);
  if (env_.sink != nullptr) {
    track_ = env_.sink->add_track({traces::TrackKind::Core, track_name(where), where.card});
    for (const Pipe p : has) {
      pipes_[isa::index_of(p)].track = env_.sink->add_track(
          {traces::TrackKind::Pipe, fmt::format("{}.{}", track_name(where), isa::name_of(p)), where.card});
    }
    for (const isa::OpInfo& row : isa::instruction_table()) {
      op_names_[isa::index_of(row.opcode)] = env_.sink->intern(row.mnemonic);
    }
    wait_name_ = env_.sink->intern("wait");
  }
  SC_HAS_PROCESS(Core);
  SC_METHOD(advance);
  sensitive << wake_;
  dont_initialize();
}

void Core::start(const Block& block) {
  NPU_ASSERT(!running_, "a core runs one block at a time");
  block_ = block;
  running_ = true;
  begin_ = env_.clock.now();
  if (env_.sink != nullptr) {
    kernel_name_ = env_.sink->intern(block.program->name);
    block_name_ = block.name.empty() ? kernel_name_ : env_.sink->intern(block.name);
  }
  registers_.fill(0);
  valueless_ = 0;
  pc_ = 0;
  scalar_ = ScalarState::Ready;
  scalar_ordered_ = false;
  scalar_time_ = scalar_since_ = begin_;
  store_done_ = begin_;
  bytes_read_ = bytes_written_ = 0;
  retired_ += pipes_[isa::index_of(Pipe::S)].stats.instructions;
  for (PipeState& p : pipes_) {
    p.free_at = p.last_retire = begin_;
    p.next_start = kNever;
    p.stats = {};
  }
  cache_.invalidate_clean();
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Core::advance() {
  const ActivityScope scope{services_.activity, Activity::Pipes};
  env_.faults.guard([this] { run_events(); });
}

void Core::run_events() {
  const std::uint64_t now = env_.clock.now();
  for (const Passed& passed : passed_) {
    PipeState& pipe = pipes_[passed.pipe];
    pipe.transferring = false;
    enter_flight(passed.pipe, pipe.transfer_begin, now, now + passed.latency, now);
  }
  passed_.clear();
  if (scalar_ == ScalarState::Cell && step_scalar(block_.program->code[pc_])) ++pc_;
  while (running_ && env_.stop_requested() == 0) {
    if (scalar_ == ScalarState::Ready && !scalar_ordered_) run_scalar();
    const Next next = next_event();
    if (next.time == kNever) return;  // a transfer, a flag or a cell of the outside will wake this core
    if (next.time > now && (meets_others(next) || next.time >= horizon())) {
      env_.clock.notify_at(wake_, next.time);
      return;
    }
    switch (next.what) {
      case Next::What::Retire:
        retire_front(next.pipe);
        break;
      case Next::What::Start:
        start_front(next.pipe, next.time);
        break;
      case Next::What::Scalar:
        scalar_ordered_ = false;
        scalar_external_ = false;
        if (block_.program->code[pc_].opcode == Opcode::Halt && parked_) {
          finish_block(next.time);
        } else if (step_scalar(block_.program->code[pc_])) {
          ++pc_;
        }
        break;
    }
  }
}

Core::Next Core::next_event() const {
  Next best;
  const auto offer = [&](std::uint64_t time, Next::What what, std::uint32_t pipe) {
    if (time < best.time) best = {time, what, pipe};
  };
  for (const std::uint32_t p : active_pipes_) {
    if (!pipes_[p].in_flight.empty()) offer(pipes_[p].in_flight.front().retire, Next::What::Retire, p);
  }
  for (const std::uint32_t p : active_pipes_) offer(pipes_[p].next_start, Next::What::Start, p);
  if (scalar_ == ScalarState::Ready && scalar_ordered_) offer(scalar_time_, Next::What::Scalar, 0);
  return best;
}

bool Core::meets_others(const Next& next) const {
  switch (next.what) {
    case Next::What::Retire: {
      const Issued& op = pipes_[next.pipe].in_flight.front().op;
      return op.ins->opcode == Opcode::SetCross || uses_memory(op);
    }
    case Next::What::Start:
      return uses_memory(pipes_[next.pipe].queue.front());
    case Next::What::Scalar:
      return scalar_external_;
  }
  return true;
}

/// Until then no running transfer of this core can end, so nothing that happens here can depend on one.
std::uint64_t Core::horizon() const {
  std::uint64_t earliest = kNever;
  for (const std::uint32_t p : active_pipes_) {
    if (pipes_[p].transferring) earliest = std::min(earliest, pipes_[p].transfer_floor);
  }
  return earliest;
}

void Core::transfer_passed(std::uint32_t tag, std::uint64_t latency) {
  passed_.push_back({tag, latency});
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Core::cell_written(const Notify* notify) {
  has_notify_ = notify != nullptr;
  if (has_notify_) last_notify_ = *notify;
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Core::finish_block(std::uint64_t time) {
  parked_ = false;
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    if (flags_[i] == kNever) continue;
    const std::size_t ids = env_.machine.arch.flags_per_pair, pair = i / ids;
    fail(pc_, fmt::format("flag {} from {} to {} is still set at the end; every set_flag needs a wait_flag", i % ids,
                          isa::kPipeNames[pair / isa::kPipeCount], isa::kPipeNames[pair % isa::kPipeCount]));
  }
  for (std::size_t id = 0; id < cross_arrivals_.size(); ++id) {
    for (const auto& arrivals : cross_arrivals_[id]) {
      if (!arrivals.empty()) {
        fail(pc_, fmt::format("cross-core flag {} is still {} at the end; every set_cross needs a wait_cross", id,
                              arrivals.size()));
      }
    }
  }
  for (const std::uint32_t p : active_pipes_) account_wait(pipes_[p], pipes_[p].free_at, time, WaitReason::Instruction);
  record_task(time);
  running_ = false;
  scalar_ = ScalarState::Idle;
  observer_.block_finished(where_.index, block_stats(time));
}

}  // namespace npu::model
