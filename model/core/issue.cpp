// From an instruction to a pipe: what registers decide, the queues, flags and barriers of the scalar unit itself.
#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/operation.hpp"
#include "isa/tile_rules.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::Instruction;
using isa::Opcode;
using isa::Pipe;
using traces::WaitReason;

// ---- issue to pipes ----------------------------------------------------------------------------------------------

Core::ResolvedTile Core::resolve_tile(std::uint16_t index) const {
  const isa::TileDesc& d = block_.program->tiles[index];
  const std::int64_t offset = wrapped_sum(d.offset, registers_[d.offset_reg]);
  const std::int64_t rows = d.valid_rows_reg != 0 ? registers_[d.valid_rows_reg] : d.valid_rows;
  const std::int64_t cols = d.valid_cols_reg != 0 ? registers_[d.valid_cols_reg] : d.valid_cols;
  if (rows < 0 || rows > d.rows || cols < 0 || cols > d.cols) {
    fail(pc_, fmt::format("tile {}: valid region {}x{}; limit: the tile is {}x{}; way out: clamp the registers of the "
                          "valid region, or declare a larger tile",
                          block_.program->tile_names[index], rows, cols, d.rows, d.cols));
  }
  // The verifier has placed the tile where no register moves it. Only padding reaches beyond the valid region.
  if (d.offset_reg != 0) {
    const bool pads = d.pad != isa::Pad::None;
    refuse(isa::check_placement(d, offset, static_cast<std::uint64_t>(pads ? d.rows : rows),
                                static_cast<std::uint64_t>(pads ? d.cols : cols), env_.machine.arch));
  }
  return {static_cast<std::uint32_t>(offset), static_cast<std::uint16_t>(rows), static_cast<std::uint16_t>(cols)};
}

/// Ends the run when a rule is broken.
void Core::refuse(const std::optional<isa::Violation>& violation) const {
  if (violation)
    fail(pc_, fmt::format("{}; limit: {}; way out: {}", violation->what, violation->limit, violation->way_out));
}

isa::ValidExtents Core::extents_of(const Issued& op) const {
  isa::ValidExtents valid;
  for (std::size_t i = 0; i < op.t.size(); ++i) valid.t[i] = {op.t[i].rows, op.t[i].cols};
  if (op.ins->opcode == Opcode::TMatmulBias) {
    const isa::TileDesc& bias = block_.program->tiles[static_cast<std::uint16_t>(op.ins->imm)];
    valid.bias = {bias.valid_rows, bias.valid_cols};
  }
  return valid;
}

Core::Issued Core::resolve(const Instruction& ins) const {
  using enum isa::OperandKind;
  Issued op{.ins = &ins, .pc = pc_, .issue = scalar_time_ + env_.machine.params.core.scalar_cycles, .t = {}};
  for (const isa::OperandSpec& spec : isa::op_info(ins.opcode).operands) {
    switch (spec.kind) {
      case TileDst:
      case TileSrc:
      case TileInOut: {
        const auto slot = static_cast<std::size_t>(spec.field) - static_cast<std::size_t>(isa::Field::T0);
        op.t[slot] = resolve_tile(slot == 0 ? ins.t0 : slot == 1 ? ins.t1 : ins.t2);
        break;
      }
      case GmSrc:
      case GmDst: {
        const isa::GmDesc& gm = block_.program->gms[ins.t1];
        op.gm_address = static_cast<std::uint64_t>(wrapped_sum(registers_[gm.base_reg], gm.offset));
        op.gm_pitch = gm.pitch_reg != 0 ? registers_[gm.pitch_reg] : gm.pitch;
        break;
      }
      case Scalar:
        op.scalar = ins.r0 != 0 ? registers_[ins.r0] : ins.imm;
        break;
      case FlagId: {
        const std::int64_t id = wrapped_sum(ins.imm, registers_[ins.r0]);
        const std::uint32_t limit = env_.machine.arch.flag_ids(ins.opcode);
        if (id < 0 || id >= limit) {
          const bool cross = ins.opcode == Opcode::SetCross || ins.opcode == Opcode::WaitCross;
          fail(pc_, fmt::format("{} id {}; limit: 0 to {} ({}); way out: use fewer flags, or raise the limit",
                                cross ? "cross-core flag" : "flag", id, limit - 1,
                                cross ? "core.cross_flags" : "core.flags_per_pair"));
        }
        op.flag = static_cast<std::uint32_t>(id);
        break;
      }
      case RegSrc:  // TEXTRACT origin
        (spec.field == isa::Field::R1 ? op.row : op.col) = registers_[spec.field == isa::Field::R1 ? ins.r1 : ins.r2];
        break;
      case RegDst:
      case Imm:
      case Label:
      case PipeName:
        break;
    }
  }
  const isa::ValidExtents valid = extents_of(op);
  refuse(isa::check_shapes(ins, *block_.program, valid));
  if (ins.opcode == Opcode::TExtract) {
    refuse(isa::check_extract_origin(ins, *block_.program, valid, op.row, op.col, env_.machine.arch));
  }
  return op;
}

bool Core::issue(const Instruction& ins) {
  const Pipe pipe = isa::pipe_of(ins, *block_.program, env_.machine.arch);
  const auto p = static_cast<std::uint32_t>(pipe);
  const CoreParams& params = env_.machine.params.core;
  if (pipes_[p].queue.size() >= params.queue_depth) {
    queue_awaited_ = p;
    block_scalar(ScalarState::Queue, WaitReason::QueueFull);
    return false;
  }
  push_to_pipe(pipe, resolve(ins));
  spend(params.scalar_cycles);
  return true;
}

bool Core::synchronise(const Instruction& ins) {
  const auto scalar_pipe = static_cast<std::uint32_t>(Pipe::S);
  const bool on_scalar = isa::pipe_of(ins, *block_.program, env_.machine.arch) == Pipe::S;
  if (!on_scalar) return issue(ins);
  switch (ins.opcode) {
    case Opcode::WaitFlag: {
      const Issued op = resolve(ins);
      std::uint64_t& flag = flag_cell(ins.t0, scalar_pipe, op.flag);
      if (flag == kNever) {
        block_scalar(ScalarState::Flag, WaitReason::Flag);
        return false;
      }
      spend_waiting(flag, WaitReason::Flag);
      flag = kNever;
      break;
    }
    case Opcode::SetFlag:
      set_flag_at(scalar_pipe, ins.t1, resolve(ins).flag, scalar_time_, pc_);
      break;
    case Opcode::PipeBarrier:
      if (!wait_idle(ScalarState::Barrier, WaitReason::Barrier)) return false;
      break;
    case Opcode::WaitCross:
      if (!wait_cross(ins)) return false;
      break;
    default:
      fail(pc_, "a cross-core flag is set by a pipe that does work, not by the scalar unit");
  }
  spend(env_.machine.params.core.scalar_cycles);
  ++pipes_[scalar_pipe].stats.instructions;
  return true;
}

/// Every pipe has run dry; the scalar time is not before their last retirement.
bool Core::wait_idle(ScalarState state, WaitReason reason) {
  std::uint64_t idle = scalar_time_;
  for (const std::uint32_t p : active_pipes_) {
    const PipeState& pipe = pipes_[p];
    if (!pipe.queue.empty() || !pipe.in_flight.empty()) {
      block_scalar(state, reason);
      return false;
    }
    idle = std::max({idle, pipe.last_retire, pipe.free_at});
  }
  spend_waiting(idle, reason);
  return true;
}

bool Core::wait_cross(const Instruction& ins) {
  const auto id = static_cast<std::size_t>(resolve(ins).flag);
  auto& arrivals = cross_arrivals_[id];
  const std::size_t senders = where_.kind == isa::CoreKind::AIC ? kVectorCoresPerCluster : 1;
  std::uint64_t arrived = 0;
  for (std::size_t s = 0; s < senders; ++s) {
    if (arrivals[s].empty()) {
      block_scalar(ScalarState::Cross, WaitReason::CrossFlag);
      return false;
    }
    arrived = std::max(arrived, arrivals[s].front());
  }
  if (arrived > scalar_time_) {
    spend_waiting(arrived, WaitReason::CrossFlag);
    scalar_ordered_ = scalar_external_ = true;
    return false;
  }
  for (std::size_t s = 0; s < senders; ++s) arrivals[s].pop();
  return true;
}

}  // namespace npu::model
