// The in-order pipes of a core: start, occupy, retire; flags between them.
#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/core.hpp"
#include "model/timing/laws.hpp"
#include "model/timing/transfer_laws.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Pipe;
using isa::Space;
using traces::SpanKind;
using traces::WaitReason;

namespace {

bool is_column_major_gm(const isa::GmDesc& gm) { return gm.layout == isa::Layout::DN; }

}  // namespace

bool Core::uses_memory(const Issued& op) const {
  return (op.ins->opcode == Opcode::TLoad || op.ins->opcode == Opcode::TStore) && op.t[0].rows != 0 &&
         op.t[0].cols != 0;
}

Transfer Core::transfer_of(const Issued& op) const {
  const isa::Program& program = *block_.program;
  const isa::GmDesc& gm = program.gms[op.ins->t1];
  const isa::TileDesc& tile = program.tiles[op.ins->t0];
  const bool columns = is_column_major_gm(gm);
  const std::uint32_t lines = columns ? op.t[0].cols : op.t[0].rows;
  const std::uint32_t length = columns ? op.t[0].rows : op.t[0].cols;
  Transfer t{.card = where_.card,
             .core = where_.index,
             .write = op.ins->opcode == Opcode::TStore,
             .address = op.gm_address,
             .lines = lines,
             .line_bytes = length * isa::size_of(gm.dtype),
             .pitch = lines > 1 ? op.gm_pitch : static_cast<std::int64_t>(length) * isa::size_of(gm.dtype)};
  const Params& p = env_.machine.params;
  if (!t.write) {
    t.cost = load_cost(p.core, p.memory, tile.space, t.rows());
  } else if (tile.space == Space::L0C) {
    t.cost.port = fix_port_cycles(p.core, std::uint64_t{lines} * length * isa::size_of(tile.dtype), t.bytes());
  } else {
    t.cost.port = mte3_port_cycles(p.core, t.bytes());
  }
  return t;
}

isa::Operands Core::operands_of(const Issued& op) const {
  const isa::Program& program = *block_.program;
  isa::Operands o;
  const auto view = [&](std::uint16_t index, const ResolvedTile& t) {
    const isa::TileDesc& d = program.tiles[index];
    return isa::TileView{.data = const_cast<std::byte*>(spaces_[isa::index_of(d.space)].data()) + t.offset,
                         .pitch = d.pitch,
                         .rows = t.rows,
                         .cols = t.cols,
                         .dtype = d.dtype,
                         .layout = d.layout};
  };
  const isa::OpInfo& info = isa::op_info(op.ins->opcode);
  for (const isa::OperandSpec& spec : info.operands) {
    const auto slot = static_cast<std::size_t>(spec.field) - static_cast<std::size_t>(isa::Field::T0);
    switch (spec.kind) {
      case isa::OperandKind::TileDst:
      case isa::OperandKind::TileSrc:
      case isa::OperandKind::TileInOut:
        o.t[slot] = view(slot == 0 ? op.ins->t0 : slot == 1 ? op.ins->t1 : op.ins->t2, op.t[slot]);
        break;
      default:
        break;
    }
  }
  o.scalar = op.scalar;
  o.row = op.row;
  o.col = op.col;
  if (op.ins->opcode == Opcode::TMatmulBias) {
    const auto bias = static_cast<std::uint16_t>(op.ins->imm);
    const isa::TileDesc& d = program.tiles[bias];
    o.bias = view(bias, {d.offset, d.valid_rows, d.valid_cols});
  }
  if (op.ins->opcode == Opcode::TFillPad) {
    const isa::TileDesc& d = program.tiles[op.ins->t0];
    o.full = view(op.ins->t0, {op.t[0].offset, d.rows, d.cols});
    o.pad = d.pad;
  }
  if (uses_memory(op)) {
    const Transfer t = transfer_of(op);
    const isa::GmDesc& gm = program.gms[op.ins->t1];
    o.gm = {.data = services_.memory.resolve(t.address, t.extent(), t.write ? "write" : "read"),
            .pitch = t.pitch,
            .dtype = gm.dtype,
            .layout = gm.layout};
  }
  return o;
}

/// A pipe is busy until the results of its instructions are there; those of several may be under way at a time.
void Core::add_busy(PipeState& pipe, std::uint64_t begin, std::uint64_t end) {
  begin = std::max(begin, pipe.busy_until);
  if (end <= begin) return;
  pipe.stats.busy += end - begin;
  pipe.busy_until = end;
}

void Core::close_span(PipeState& pipe, std::uint64_t begin_of_next) {
  if (!pipe.open) return;
  env_.sink->span(pipe.track, SpanKind::Instruction, pipe.open->name, Cycles{pipe.open->begin},
                  Cycles{std::min(pipe.open->end, begin_of_next)}, pipe.open->pc);
  pipe.open.reset();
}

void Core::account_wait(PipeState& pipe, std::uint64_t begin, std::uint64_t end, WaitReason reason) {
  begin = std::max(begin, pipe.busy_until);
  if (end <= begin) return;
  close_span(pipe, begin);
  pipe.stats.wait[static_cast<std::size_t>(reason)] += end - begin;
  if (env_.sink != nullptr) {
    env_.sink->span(pipe.track, SpanKind::Wait, wait_name_, Cycles{begin}, Cycles{end},
                    static_cast<std::uint64_t>(reason));
  }
}

void Core::push_to_pipe(Pipe pipe, const Issued& op) {
  const auto p = static_cast<std::uint32_t>(pipe);
  pipes_[p].queue.push() = op;
  if (pipes_[p].queue.size() == 1) update_start(p);
}

/// When the front of the queue can start, as far as this is known.
void Core::update_start(std::uint32_t p) {
  PipeState& pipe = pipes_[p];
  pipe.next_start = kNever;
  if (pipe.queue.empty() || pipe.transferring) return;
  const Issued& front = pipe.queue.front();
  std::uint64_t start = std::max(pipe.free_at, front.issue);
  if (front.ins->opcode == Opcode::WaitFlag) {
    const std::uint64_t set = flag_cell(front.ins->t0, p, front.flag);
    if (set == kNever) return;
    start = std::max(start, set);
  } else if (front.ins->opcode == Opcode::PipeBarrier) {
    start = std::max(start, pipe.last_retire);
    if (static_cast<Pipe>(p) == Pipe::V) start = std::max(start, last_vector_.visible);
  }
  pipe.next_start = start;
}

void Core::pop_queue(std::uint32_t p, std::uint64_t time) {
  pipes_[p].queue.pop();
  const bool slot_awaited = scalar_ == ScalarState::Queue && queue_awaited_ == p;
  if (slot_awaited || scalar_ == ScalarState::Barrier || scalar_ == ScalarState::Drain) resume_scalar(time);
}

void Core::start_front(std::uint32_t p, std::uint64_t time) {
  PipeState& pipe = pipes_[p];
  const Issued op = pipe.queue.front();
  const CoreParams& params = env_.machine.params.core;
  const std::uint64_t idle_end = std::min(std::max(op.issue, pipe.free_at), time);
  account_wait(pipe, pipe.free_at, idle_end, WaitReason::Instruction);
  const auto simple = [&](std::uint64_t busy) {  // flags and barriers: no result of their own
    add_busy(pipe, time, time + busy);
    ++pipe.stats.instructions;
    pipe.free_at = time + busy;
  };
  switch (op.ins->opcode) {
    case Opcode::WaitFlag:
      account_wait(pipe, idle_end, time, WaitReason::Flag);
      flag_cell(op.ins->t0, p, op.flag) = kNever;
      simple(params.flag_issue_cycles);
      break;
    case Opcode::PipeBarrier:
      account_wait(pipe, idle_end, time, WaitReason::Barrier);
      simple(params.flag_issue_cycles);
      break;
    case Opcode::SetFlag:
    case Opcode::SetCross: {
      simple(params.flag_issue_cycles);
      InFlight& f = pipe.in_flight.push();
      f.retire = pipe.last_retire = std::max(pipe.last_retire, pipe.free_at);
      f.op = op;
      break;
    }
    default:
      account_wait(pipe, idle_end, time, WaitReason::Instruction);
      if (uses_memory(op)) {
        begin_transfer(p, time);
        return;
      }
      check_vector_hazard(op, time);
      {
        const isa::Program& program = *block_.program;
        const auto shape = [&](std::uint16_t index, const ResolvedTile& t) {
          const isa::TileDesc& d = program.tiles[index];
          const bool columns = isa::is_column_major(d.layout);
          return TileShape{.dtype = d.dtype,
                           .lines = columns ? t.cols : t.rows,
                           .line_bytes = (columns ? t.rows : t.cols) * isa::size_of(d.dtype),
                           .pitch = d.pitch,
                           .offset = t.offset};
        };
        Cost cost;
        switch (static_cast<Pipe>(p)) {
          case Pipe::M:
            cost = matmul_cost(params, program.tiles[op.ins->t1].dtype, op.t[1].rows, op.t[1].cols, op.t[2].cols);
            break;
          case Pipe::MTE1:
            cost = mte1_cost(params, program.tiles[op.ins->t0].space, shape(op.ins->t0, op.t[0]).bytes(),
                             pipes_[isa::index_of(Pipe::MTE2)].transferring);
            break;
          case Pipe::FIX:
            cost = op.ins->opcode == Opcode::TMov
                       ? fix_l1_cost(params, shape(op.ins->t1, op.t[1]).bytes(), shape(op.ins->t0, op.t[0]).bytes())
                       : Cost{1, 0};
            break;
          case Pipe::V: {
            const TileShape dst = shape(op.ins->t0, op.t[0]);
            const bool has_a = op.ins->t1 != isa::kNoDescriptor, has_b = op.ins->t2 != isa::kNoDescriptor;
            const TileShape a = has_a ? shape(op.ins->t1, op.t[1]) : dst;
            const TileShape b = has_b ? shape(op.ins->t2, op.t[2]) : dst;
            cost = vector_cost(params, env_.machine.params.vector, op.ins->opcode, dst, a, has_b ? &b : nullptr);
            break;
          }
          case Pipe::S:
          case Pipe::MTE2:
          case Pipe::MTE3:
            cost = {1, 0};  // a transfer of nothing
            break;
        }
        const std::uint64_t left = time + cost.occupancy;
        if (static_cast<Pipe>(p) == Pipe::V) {  // what waits elsewhere has the result at once
          last_vector_ = {op, left + cost.result};
          cost.result = 0;
        }
        enter_flight(p, time, left, left + cost.result, time);
        return;
      }
  }
  pop_queue(p, time);
  update_start(p);
}

/// Bounds are the machine's: an access outside an allocation stops the run where it starts.
void Core::require_in_bounds(const Issued& op, const Transfer& t) const {
  if (t.pitch < 0) {
    fail(op.pc, fmt::format("the view's lines are {} bytes apart; limit: not below 0; way out: start at the lowest "
                            "address",
                            t.pitch));
  }
  try {
    (void)services_.memory.resolve(t.address, t.extent(), t.write ? "write" : "read");
    if (t.write) services_.memory.require_writable(t.address, "write");
  } catch (const ProgramError& error) {
    fail(op.pc,
         fmt::format("{} ({} lines of {} bytes, {} bytes apart); way out: check the view's base and pitch and the "
                     "tile's valid region against the size of the tensor",
                     error.what(), t.lines, t.line_bytes, t.pitch));
  }
}

void Core::begin_transfer(std::uint32_t p, std::uint64_t time) {
  PipeState& pipe = pipes_[p];
  const Issued& op = pipe.queue.front();
  const Transfer t = transfer_of(op);
  require_in_bounds(op, t);
  (t.write ? bytes_written_ : bytes_read_) += t.bytes();
  pipe.transferring = true;
  pipe.transfer_begin = time;
  pipe.transfer_floor = services_.mode == Mode::Functional ? time : time + static_cast<std::uint64_t>(t.cost.port);
  pipe.next_start = kNever;
  services_.memory.start(t, *this, p);
}

/// The front of the queue leaves the pipe at `left`; its result is there at `result`.
void Core::enter_flight(std::uint32_t p, std::uint64_t begin, std::uint64_t left, std::uint64_t result,
                        std::uint64_t slot_free) {
  PipeState& pipe = pipes_[p];
  const Issued& op = pipe.queue.front();
  add_busy(pipe, begin, result);
  ++pipe.stats.instructions;
  pipe.free_at = left;
  if (env_.sink != nullptr) {
    close_span(pipe, begin);
    pipe.open = PipeState::Open{begin, result, op_names_[isa::index_of(op.ins->opcode)], op.pc};
  }
  InFlight& f = pipe.in_flight.push();
  f.retire = pipe.last_retire = std::max(pipe.last_retire, result);
  f.op = op;
  pop_queue(p, slot_free);
  update_start(p);
}

void Core::retire_front(std::uint32_t p) {
  PipeState& pipe = pipes_[p];
  const InFlight f = pipe.in_flight.front();
  ++retired_;
  pipe.in_flight.pop();
  switch (f.op.ins->opcode) {
    case Opcode::SetFlag:
      set_flag_at(p, f.op.ins->t1, f.op.flag, f.retire, f.op.pc);
      break;
    case Opcode::SetCross:
      send_cross(f.op.flag, f.retire, f.op.pc);
      break;
    default: {
      if (services_.mode == Mode::Timing) {
        retire_without_arithmetic(f.op);
      } else {
        const isa::Operands operands = operands_of(f.op);
        const bool moves = isa::op_info(f.op.ins->opcode).op_class == isa::OpClass::Mover;
        const ActivityScope scope{services_.activity, moves ? Activity::Copies : Activity::Arithmetic};
        isa::execute(*f.op.ins, operands);
      }
      if (f.op.ins->opcode == Opcode::TStore && uses_memory(f.op)) {
        const Transfer t = transfer_of(f.op);
        services_.notifies->stored(t.address, t.extent());
      }
    }
  }
  if (scalar_ == ScalarState::Barrier || scalar_ == ScalarState::Drain) resume_scalar(f.retire);
}

void Core::set_flag_at(std::uint32_t from, std::uint32_t to, std::uint32_t id, std::uint64_t time, std::uint32_t pc) {
  std::uint64_t& flag = flag_cell(from, to, id);
  if (flag != kNever) {
    fail(pc, fmt::format("flag {} from {} to {} is set already (cycle {}): a flag is binary, wait for it first", id,
                         isa::kPipeNames[from], isa::kPipeNames[to], flag));
  }
  flag = time;
  if (to == static_cast<std::uint32_t>(Pipe::S)) {
    if (scalar_ == ScalarState::Flag) resume_scalar(time);
  } else {
    update_start(to);
  }
}

void Core::send_cross(std::uint32_t id, std::uint64_t time, std::uint32_t pc) {
  if (!block_.mixed) fail(pc, "cross-core flags work only in a task with a cube and a vector part");
  const std::uint64_t arrival = time + env_.machine.params.core.cross_flag_cycles;
  named(pc, [&] {
    if (where_.kind == isa::CoreKind::AIV) {
      cluster_[0]->receive_cross(id, where_.sub_block, arrival);
    } else {
      cluster_[1]->receive_cross(id, 0, arrival);
      cluster_[2]->receive_cross(id, 0, arrival);
    }
  });
}

void Core::receive_cross(std::uint32_t id, std::uint32_t from_sub, std::uint64_t arrival) {
  auto& arrivals = cross_arrivals_[id][from_sub];
  arrivals.push() = arrival;
  if (arrivals.size() > env_.machine.arch.cross_flag_limit) {
    throw program_error(
        "cross-core flag {} for {} has been set {} times without a wait_cross; limit: {} (core.cross_flag_limit); way "
        "out: let the receiver wait more often, or raise the limit",
        id, track_name(where_), arrivals.size(), env_.machine.arch.cross_flag_limit);
  }
  if (scalar_ == ScalarState::Cross) {
    resume_scalar(std::max(scalar_time_, arrival));
    wake_.notify(sc_core::SC_ZERO_TIME);
  }
}

/// A vector result is visible to the next vector instruction only behind a barrier, which waits for it.
void Core::check_vector_hazard(const Issued& op, std::uint64_t start) const {
  const VectorResult& last = last_vector_;
  if (isa::pipe_of(*op.ins, *block_.program) != Pipe::V || last.visible <= start) return;
  const auto range = [&](std::uint16_t index, const ResolvedTile& t) {
    const isa::TileDesc& d = block_.program->tiles[index];
    const bool columns = isa::is_column_major(d.layout);
    const std::uint32_t lines = columns ? t.cols : t.rows, length = (columns ? t.rows : t.cols) * isa::size_of(d.dtype);
    return std::pair{t.offset, lines == 0 ? t.offset : t.offset + (lines - 1) * d.pitch + length};
  };
  const auto written = range(last.op.ins->t0, last.op.t[0]);
  const auto reads = [&](std::uint16_t index, const ResolvedTile& t) {
    if (index == isa::kNoDescriptor) return;
    const auto read = range(index, t);
    if (read.first < written.second && written.first < read.second) {
      fail(op.pc, fmt::format("reads what instruction {} ({}) has not written yet; put a pipe_barrier v between them",
                              last.op.pc, isa::op_info(last.op.ins->opcode).mnemonic));
    }
  };
  reads(op.ins->t1, op.t[1]);
  reads(op.ins->t2, op.t[2]);
}

}  // namespace npu::model
