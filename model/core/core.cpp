#include "model/core/core.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/hazard.hpp"
#include "model/core/interpreter.hpp"
#include "model/timing/laws.hpp"
#include "model/timing/transfer_laws.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Operation;
using isa::Pipe;

namespace {

/// The scalar unit may run this far ahead before it lets the rest of the system catch up (an endless scalar loop must
/// not stop simulated time).
constexpr std::uint64_t kRunAheadCycles = 100'000;

Transfer transfer_of(const Operation& op, const CoreContext& core) {
  const isa::Access& gm = *op.transfer();
  const isa::Access& tile = op.accesses[0];
  const Params& p = core.env.machine.params;
  Transfer t{.card = core.where.card,
             .core = core.where.index,
             .write = isa::writes(gm.kind),
             .address = gm.begin,
             .lines = gm.lines,
             .line_bytes = gm.line_bytes,
             .pitch = gm.pitch};
  if (!t.write) {
    t.cost = load_cost(p.core, p.memory, static_cast<isa::Space>(tile.place), t.rows());
  } else if (tile.place == isa::Place::L0C) {
    t.cost.port = fix_port_cycles(p.core, tile.bytes(), t.bytes());
  } else {
    t.cost.port = mte3_port_cycles(p.core, t.bytes());
  }
  return t;
}

/// Bounds are the machine's: an access outside an allocation stops the run where it starts.
void require_in_bounds(const Operation& op, const Transfer& t, const CoreContext& core) {
  try {
    (void)core.services.memory.resolve(t.address, t.extent(), t.write ? "write" : "read");
    if (t.write) core.services.memory.require_writable(t.address, "write");
  } catch (const ProgramError& error) {
    core.fail(op.index,
              fmt::format("{} ({} lines of {} bytes, {} bytes apart); way out: check the view's base and pitch and the "
                          "tile's valid region against the size of the tensor",
                          error.what(), t.lines, t.line_bytes, t.pitch));
  }
}

}  // namespace

Core::Core(const sc_core::sc_module_name& name, Environment env, const CoreLocation& where,
           const CoreServices& services, BlockObserver& observer)
    : sc_module{name},
      context_{env, where, services},
      observer_{observer},
      local_{where.kind, env.machine.arch},
      execution_{make_execution(context_, local_)},
      pipes_{context_},
      cross_flags_{env.machine.arch.cross_flags, where.kind},
      data_{context_, local_},
      scalar_{context_, {pipes_, cross_flags_, *execution_, data_, wake_}},
      source_{std::make_unique<Interpreter>(context_, scalar_)} {
  context_.tell([&](Observer& o) { o.core_added(where, env.machine.arch); });
  SC_HAS_PROCESS(Core);
  SC_METHOD(advance);
  sensitive << wake_;
  dont_initialize();
}

void Core::start(const Block& block) {
  NPU_ASSERT(!running_, "a core runs one block at a time");
  context_.block = block;
  running_ = true;
  // The core is taken from `since` on; the scalar unit begins when the block is set up and, where this core has run
  // another program, its code is there.
  begin_ = block.since;
  bytes_read_ = bytes_written_ = 0;
  retired_ += pipes_[Pipe::S].stats().instructions;
  context_.tell([&](Observer& o) { o.block_started(context_.where, context_.block, Cycles{begin_}); });
  const Params& params = context_.env.machine.params;
  const bool cold = fetched_ != block.program->name && context_.services.mode != Mode::Functional;
  fetched_ = block.program->name;
  pipes_.begin_block(begin_);
  scalar_.begin_block(begin_, context_.env.clock.now() + (cold ? cycles_of_ns(params, params.core.code_fetch_ns) : 0));
  source_->begin(block);
  wake_.notify(sc_core::SC_ZERO_TIME);
}

// ---- the event loop ----------------------------------------------------------------------------------------------

void Core::advance() {
  const ActivityScope scope{context_.services.activity, Activity::Pipes};
  context_.env.faults.guard([this] { run_events(); });
}

void Core::run_events() {
  const std::uint64_t now = context_.env.clock.now();
  for (const Passed& passed : passed_) {
    leave(passed.pipe, pipes_[passed.pipe].transfer_begin(), now, now + passed.latency, now + passed.latency, now);
  }
  passed_.clear();
  if (scalar_.watches_cell()) (void)source_->step();
  while (running_ && context_.env.stop_requested() == 0) {
    run_ahead();
    const Next next = next_event();
    if (next.time == kNever) return;  // a transfer, a flag or a cell of the outside will wake this core
    if (next.time > now && (meets_others(next) || next.time >= pipes_.horizon())) {
      context_.env.clock.notify_at(wake_, next.time);
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
        scalar_.leave_order();
        if (scalar_.finishing()) {
          finish_block(next.time);
        } else {
          (void)source_->step();
        }
        break;
    }
  }
}

/// The scalar unit goes on until it must wait for somebody.
void Core::run_ahead() {
  if (!scalar_.runs_ahead()) return;
  const ActivityScope scope{context_.services.activity, Activity::Scalar};
  const std::uint64_t limit = context_.env.clock.now() + kRunAheadCycles;
  while (scalar_.runs_ahead()) {
    const Order order = source_->order();
    if (order != Order::Eager || scalar_.time() > limit) return scalar_.wait_in_order(order != Order::Local);
    if (!source_->step()) return;
  }
}

Core::Next Core::next_event() const {
  Next best;
  const auto offer = [&](std::uint64_t time, Next::What what, Pipe pipe) {
    if (time < best.time) best = {time, what, pipe};
  };
  for (const Pipe p : pipes_.queued()) offer(pipes_[p].next_retirement(), Next::What::Retire, p);
  for (const Pipe p : pipes_.queued()) offer(pipes_[p].next_start(), Next::What::Start, p);
  if (scalar_.waits_in_order()) offer(scalar_.time(), Next::What::Scalar, Pipe::S);
  return best;
}

bool Core::meets_others(const Next& next) const {
  switch (next.what) {
    case Next::What::Retire: {
      const Operation& op = pipes_[next.pipe].oldest();
      return op.opcode == Opcode::SetCross || op.transfer() != nullptr;
    }
    case Next::What::Start:
      return pipes_[next.pipe].front().transfer() != nullptr;
    case Next::What::Scalar:
      return scalar_.meets_others();
  }
  return true;
}

void Core::transfer_passed(std::uint32_t tag, std::uint64_t latency) {
  passed_.push_back({static_cast<Pipe>(tag), latency});
  wake_.notify(sc_core::SC_ZERO_TIME);
}

// ---- operations in pipes -----------------------------------------------------------------------------------------

void Core::start_front(Pipe name, std::uint64_t time) {
  CorePipe& pipe = pipes_[name];
  const Operation& op = pipe.front();
  pipe.start(time);
  if (isa::op_info(op.opcode).op_class == isa::OpClass::Sync) {
    if (op.opcode == Opcode::WaitFlag) pipes_.take_flag(op.flag_from, name, op.flag);
    pipe.pass(time, context_.params().flag_issue_cycles);
    scalar_.queue_moved(name, time);
    pipes_.find_start(name);
    return;
  }
  if (op.transfer() != nullptr) return begin_transfer(name, time);
  if (name == Pipe::V) require_written(op, pipe, time, context_);
  const Cost cost = cost_of(op, context_.env.machine, pipes_[Pipe::MTE2].transferring());
  const std::uint64_t end = time + cost.occupancy, result = end + cost.result;
  // What waits elsewhere has the result of a vector instruction at once.
  leave(name, time, end, name == Pipe::V ? end : result, result, time);
}

void Core::begin_transfer(Pipe name, std::uint64_t time) {
  const Operation& op = pipes_[name].front();
  const Transfer t = transfer_of(op, context_);
  require_in_bounds(op, t, context_);
  (t.write ? bytes_written_ : bytes_read_) += t.bytes();
  const bool untimed = context_.services.mode == Mode::Functional;
  pipes_[name].begin_transfer(time, untimed ? time : time + static_cast<std::uint64_t>(t.cost.port));
  context_.services.memory.start(t, *this, static_cast<std::uint32_t>(name));
}

/// The front of the queue leaves the pipe (CorePipe::enter_flight), and its place is free at `slot_free`.
void Core::leave(Pipe name, std::uint64_t begin, std::uint64_t end, std::uint64_t result, std::uint64_t own_result,
                 std::uint64_t slot_free) {
  pipes_[name].enter_flight(begin, end, result, own_result);
  scalar_.queue_moved(name, slot_free);
  pipes_.find_start(name);
}

void Core::retire_front(Pipe name) {
  CorePipe& pipe = pipes_[name];
  const Operation& op = pipe.oldest();
  const std::uint64_t time = pipe.next_retirement();
  ++retired_;
  if (op.opcode == Opcode::SetFlag) {
    pipes_.set_flag(name, op.flag_to, op.flag, time, op.index);
    if (op.flag_to == Pipe::S) scalar_.flag_set(time);
  } else if (op.opcode == Opcode::SetCross) {
    send_cross(op, time);
  } else {
    execution_->retire(op);
    const isa::Access* gm = op.transfer();
    if (gm != nullptr && isa::writes(gm->kind)) context_.services.notifies->stored(gm->begin, gm->extent());
  }
  context_.tell([&](Observer& o) { o.operation_retired(context_.where, op, Cycles{time}); });
  pipe.retire();
  scalar_.operation_retired(time);
}

void Core::send_cross(const Operation& op, std::uint64_t time) {
  if (!context_.block.mixed)
    context_.fail(op.index, "cross-core flags work only in a task with a cube and a vector part");
  const std::uint64_t arrival = time + context_.params().cross_flag_cycles;
  context_.named(op.index, [&] {
    if (context_.where.kind == isa::CoreKind::AIV)
      return cluster_[0]->receive_cross(op.flag, context_.where.sub_block, arrival);
    for (std::size_t vector = 1; vector < cluster_.size(); ++vector)
      cluster_[vector]->receive_cross(op.flag, 0, arrival);
  });
}

void Core::receive_cross(std::uint32_t id, std::uint32_t sender, std::uint64_t arrival) {
  const std::size_t count = cross_flags_.receive(id, sender, arrival);
  const std::uint32_t limit = context_.env.machine.arch.cross_flag_limit;
  if (count > limit) {
    throw program_error(
        "cross-core flag {} for {} has been set {} times without a wait_cross; limit: {} (core.cross_flag_limit); way "
        "out: let the receiver wait more often, or raise the limit",
        id, track_name(context_.where), count, limit);
  }
  if (!scalar_.waits_for_cross_flag()) return;
  scalar_.cross_flag_arrives(arrival);
  wake_.notify(sc_core::SC_ZERO_TIME);
}

// ---- the end of a block ------------------------------------------------------------------------------------------

void Core::finish_block(std::uint64_t time) {
  if (const auto flag = pipes_.flags().any_set()) {
    context_.fail(source_->instruction(),
                  fmt::format("flag {} from {} to {} is still set at the end; every set_flag needs a wait_flag",
                              flag->id, isa::name_of(flag->from), isa::name_of(flag->to)));
  }
  if (const auto flag = cross_flags_.any_left()) {
    context_.fail(source_->instruction(),
                  fmt::format("cross-core flag {} is still {} at the end; every set_cross needs a wait_cross", flag->id,
                              flag->count));
  }
  for (const Pipe p : pipes_.queued()) pipes_[p].end_block(time);
  scalar_.end_block();
  running_ = false;
  context_.tell([&](Observer& o) { o.block_ended(context_.where, context_.block, Cycles{begin_}, Cycles{time}); });
  observer_.block_finished(context_.where.index, block_stats(time));
}

}  // namespace npu::model
