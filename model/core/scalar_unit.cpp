// The scalar unit: a tight interpreter with local time. Arithmetic runs ahead; what touches a tile element, a flag of
// its own, memory or a cell waits until the core, or the whole system, has reached its time.
#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::Instruction;
using isa::Opcode;
using isa::Pipe;
using isa::Space;
using traces::WaitReason;

namespace {

/// The scalar unit may run this far ahead before it lets the rest of the system catch up (an endless scalar loop must
/// not stop simulated time).
constexpr std::uint64_t kRunAheadCycles = 100'000;

}  // namespace

// ---- time --------------------------------------------------------------------------------------------------------

void Core::spend(std::uint64_t cycles) {
  scalar_time_ += cycles;
  PipeState& s = pipes_[isa::index_of(Pipe::S)];
  s.stats.busy += cycles;
  s.free_at = scalar_time_;
}

void Core::spend_waiting(std::uint64_t until, WaitReason reason) {
  if (until <= scalar_time_) return;
  account_wait(pipes_[isa::index_of(Pipe::S)], scalar_time_, until, reason);
  scalar_time_ = until;
}

void Core::block_scalar(ScalarState state, WaitReason reason) {
  scalar_ = state;
  scalar_reason_ = reason;
  scalar_since_ = scalar_time_;
}

void Core::resume_scalar(std::uint64_t time) {
  spend_waiting(time, scalar_reason_);
  scalar_ = ScalarState::Ready;
}

/// The current instruction takes effect at `time`, in order with the rest of the system.
void Core::wait_in_order(std::uint64_t time) {
  spend_waiting(time, WaitReason::Memory);
  scalar_ordered_ = scalar_external_ = true;
}

// ---- interpreter -------------------------------------------------------------------------------------------------

Core::Order Core::order_of(const Instruction& ins) {
  switch (ins.opcode) {
    case Opcode::LdTile:
    case Opcode::StTile:
    case Opcode::Halt:
      return Order::Local;
    case Opcode::LdGm:
    case Opcode::StGm:
      return cache_.hit(scalar_address(ins)) ? Order::Eager : Order::System;
    case Opcode::Dcci:
    case Opcode::TNotify:
    case Opcode::TWait:
    case Opcode::TTest:
    case Opcode::WaitCross:
      return Order::System;
    case Opcode::SetFlag:
      return ins.t0 == static_cast<std::uint16_t>(Pipe::S) ? Order::Local : Order::Eager;
    case Opcode::WaitFlag:
      return ins.t1 == static_cast<std::uint16_t>(Pipe::S) ? Order::Local : Order::Eager;
    case Opcode::PipeBarrier:
      return ins.t0 == isa::kNoDescriptor ? Order::Local : Order::Eager;
    default:
      return Order::Eager;
  }
}

void Core::run_scalar() {
  const ActivityScope scope{services_.activity, Activity::Scalar};
  const auto& code = block_.program->code;
  const std::uint64_t limit = env_.clock.now() + kRunAheadCycles;
  while (scalar_ == ScalarState::Ready) {
    NPU_ASSERT(pc_ < code.size(), "the verifier lets no program run past its end");
    const Order order = order_of(code[pc_]);
    if (order != Order::Eager || scalar_time_ > limit) {
      scalar_ordered_ = true;
      scalar_external_ = order != Order::Local;
      return;
    }
    if (!step_scalar(code[pc_])) return;
    ++pc_;
  }
}

/// Executes one instruction; false when it must be tried again.
bool Core::step_scalar(const Instruction& ins) {
  const CoreParams& params = env_.machine.params.core;
  if (valueless_ != 0) [[unlikely]]
    track_valueless(ins);
  switch (isa::op_info(ins.opcode).op_class) {
    case isa::OpClass::Mover:
    case isa::OpClass::Cube:
    case isa::OpClass::Vector:
      return issue(ins);
    case isa::OpClass::Sync:
      return synchronise(ins);
    case isa::OpClass::Comm:
      switch (ins.opcode) {
        case Opcode::TNotify:
          send_notify(ins);
          break;
        case Opcode::TWait:
          if (!wait_cell(ins)) return false;
          break;
        default: {
          const auto address = static_cast<std::uint64_t>(registers_[ins.r1]);
          require_cell(address);
          const std::int32_t value = named(pc_, [&] { return read_cell(address); });
          set_register(ins.r0, compare(ins.mode, value, registers_[ins.r2]) ? 1 : 0);
        }
      }
      spend(params.scalar_cycles);
      ++pipes_[0].stats.instructions;
      return true;
    case isa::OpClass::Scalar:
      break;
  }
  std::uint64_t cost = params.scalar_cycles;
  switch (ins.opcode) {
    case Opcode::Halt:
      if (!wait_idle(ScalarState::Drain, WaitReason::Drain)) return false;
      parked_ = true;
      wait_in_order(scalar_time_);
      return false;
    case Opcode::LdGm:
    case Opcode::StGm:
      if (!scalar_memory(ins)) return false;
      break;
    case Opcode::LdTile:
      scalar_tile(ins);
      cost = params.scalar_tile_load_cycles;
      break;
    case Opcode::StTile:
      scalar_tile(ins);
      cost = params.scalar_tile_store_cycles;
      break;
    case Opcode::Dcci:
      clean_cache(ins);
      break;
    case Opcode::Dsb:
      spend_waiting(store_done_, WaitReason::Memory);
      break;
    case Opcode::Br:
      pc_ = static_cast<std::uint32_t>(ins.imm) - 1;
      break;
    case Opcode::BrCmp:
      if (compare(ins.mode, registers_[ins.r0], registers_[ins.r1])) pc_ = static_cast<std::uint32_t>(ins.imm) - 1;
      break;
    case Opcode::LdArg: {
      const auto& args = *block_.args;
      if (ins.imm < 0 || static_cast<std::size_t>(ins.imm) >= args.size()) {
        fail(pc_, fmt::format("argument {} of {}", ins.imm, args.size()));
      }
      set_register(ins.r0, args[static_cast<std::size_t>(ins.imm)]);
      break;
    }
    case Opcode::LdSpr:
      set_register(ins.r0, special(static_cast<isa::SpecialReg>(ins.mode)));
      break;
    case Opcode::Nop:
      break;
    default:
      set_register(ins.r0, arithmetic(ins));
  }
  spend(cost);
  ++pipes_[0].stats.instructions;
  return true;
}

void Core::set_register(std::uint8_t index, std::int64_t value) {
  if (index != 0) registers_[index] = value;
}

/// The result of LDTILE or LDGM.
void Core::load_register(const Instruction& ins, std::int64_t value) {
  if (services_.mode == Mode::Timing && ins.r0 != 0 && !loads_value(ins)) {
    valueless_ |= std::uint32_t{1} << ins.r0;
    value = 0;
  }
  set_register(ins.r0, value);
}

std::int64_t Core::arithmetic(const Instruction& ins) const {
  const std::int64_t a = registers_[ins.r1], b = registers_[ins.r2];
  const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
  const auto imm = static_cast<std::uint64_t>(std::int64_t{ins.imm});
  const auto signed_of = [](std::uint64_t v) { return static_cast<std::int64_t>(v); };
  switch (ins.opcode) {
    case Opcode::Li:
      return ins.imm;
    case Opcode::Lih:
      return signed_of((static_cast<std::uint64_t>(registers_[ins.r0]) & 0xffffffffU) | imm << 32);
    case Opcode::Mov:
      return a;
    case Opcode::Add:
      return signed_of(ua + ub);
    case Opcode::Sub:
      return signed_of(ua - ub);
    case Opcode::Mul:
      return signed_of(ua * ub);
    case Opcode::Div:
    case Opcode::Rem:
      if (b == 0) fail(pc_, "division by zero");
      if (b == -1) return ins.opcode == Opcode::Div ? signed_of(0 - ua) : 0;
      return ins.opcode == Opcode::Div ? a / b : a % b;
    case Opcode::Min:
      return std::min(a, b);
    case Opcode::Max:
      return std::max(a, b);
    case Opcode::And:
      return a & b;
    case Opcode::Or:
      return a | b;
    case Opcode::Xor:
      return a ^ b;
    case Opcode::Shl:
      return signed_of(ua << (ub & 63U));
    case Opcode::Shr:
      return signed_of(ua >> (ub & 63U));
    case Opcode::Addi:
      return signed_of(ua + imm);
    case Opcode::Muli:
      return signed_of(ua * imm);
    case Opcode::Cmp:
      return compare(ins.mode, a, b) ? 1 : 0;
    default:
      NPU_ASSERT(false, "not an arithmetic instruction");
      return 0;
  }
}

bool Core::compare(std::uint8_t mode, std::int64_t a, std::int64_t b) const {
  switch (static_cast<isa::CompareMode>(mode)) {
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

std::int64_t Core::special(isa::SpecialReg which) const {
  switch (which) {
    case isa::SpecialReg::BlockIndex:
      return block_.block;
    case isa::SpecialReg::BlockCount:
      return block_.block_count;
    case isa::SpecialReg::SubBlock:
      return block_.sub_block;
    case isa::SpecialReg::CardRank:
      return where_.card;
    case isa::SpecialReg::CardCount:
      return services_.card_count;
    case isa::SpecialReg::CycleCounter:
      return static_cast<std::int64_t>(scalar_time_);
  }
  return 0;
}

}  // namespace npu::model
