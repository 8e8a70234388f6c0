#include "model/core/interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"

namespace npu::model {

using isa::CompareMode;
using isa::Instruction;
using isa::Opcode;
using isa::Operation;

void Interpreter::begin(const Block&) {
  registers_.fill(0);
  values_.begin_block();
  pc_ = 0;
}

Order Interpreter::order() {
  const auto& code = core_.block.program->code;
  NPU_ASSERT(pc_ < code.size(), "the verifier lets no program run past its end");
  const Instruction& ins = code[pc_];
  switch (ins.opcode) {
    case Opcode::LdTile:
    case Opcode::StTile:
    case Opcode::Halt:
      return Order::Local;
    case Opcode::LdGm:
    case Opcode::StGm:
      return unit_.hits(isa::scalar_address(ins, registers_)) ? Order::Eager : Order::System;
    case Opcode::Dcci:
    case Opcode::TNotify:
    case Opcode::TWait:
    case Opcode::TTest:
    case Opcode::WaitCross:
      return Order::System;
    case Opcode::SetFlag:
      return ins.t0 == static_cast<std::uint16_t>(isa::Pipe::S) ? Order::Local : Order::Eager;
    case Opcode::WaitFlag:
      return ins.t1 == static_cast<std::uint16_t>(isa::Pipe::S) ? Order::Local : Order::Eager;
    case Opcode::PipeBarrier:
      return ins.t0 == isa::kNoDescriptor ? Order::Local : Order::Eager;
    default:
      return Order::Eager;
  }
}

bool Interpreter::step() {
  values_.follow(*core_.block.program, pc_);
  if (!execute(core_.block.program->code[pc_])) return false;
  ++pc_;
  return true;
}

/// The instruction at hand with the registers as they are. Ends the run where they break a rule.
const Operation& Interpreter::resolve() {
  const auto violation = isa::resolve(*core_.block.program, pc_, &registers_, core_.env.machine.arch, operation_);
  if (violation) {
    core_.fail(pc_, fmt::format("{}; limit: {}; way out: {}", violation->what, violation->limit, violation->way_out));
  }
  return operation_;
}

bool Interpreter::execute(const Instruction& ins) {
  switch (isa::op_info(ins.opcode).op_class) {
    case isa::OpClass::Mover:
    case isa::OpClass::Cube:
    case isa::OpClass::Vector:
      return unit_.issue(resolve());
    case isa::OpClass::Sync:
      return synchronise();
    case isa::OpClass::Comm:
      return communicate(ins);
    case isa::OpClass::Scalar:
      return execute_scalar(ins);
  }
  NPU_ASSERT(false, "instruction without a class");
  return false;
}

bool Interpreter::complete(std::uint64_t cycles) {
  unit_.complete(cycles);
  return true;
}

bool Interpreter::synchronise() {
  const Operation& op = resolve();
  if (op.pipe != isa::Pipe::S) return unit_.issue(op);
  return unit_.synchronise(op) && complete(core_.params().scalar_cycles);
}

bool Interpreter::communicate(const Instruction& ins) {
  const Operation& op = resolve();
  const auto mode = static_cast<CompareMode>(ins.mode);
  switch (ins.opcode) {
    case Opcode::TNotify:
      unit_.notify(op, static_cast<std::int32_t>(registers_[ins.r1]), ins.mode == 1);
      break;
    case Opcode::TWait:
      if (!unit_.wait_cell(op, mode, registers_[ins.r1])) return false;
      break;
    case Opcode::TTest:
      set(ins.r0, holds(mode, unit_.test(op), registers_[ins.r2]) ? 1 : 0);
      break;
    default:
      NPU_ASSERT(false, "not an instruction of communication");
  }
  return complete(core_.params().scalar_cycles);
}

bool Interpreter::execute_scalar(const Instruction& ins) {
  const CoreParams& params = core_.params();
  switch (ins.opcode) {
    case Opcode::Halt:
      return unit_.finish();
    case Opcode::LdGm:
    case Opcode::StGm:
      if (!access_memory(ins)) return false;
      break;
    case Opcode::LdTile:
      access_tile(ins);
      return complete(params.scalar_tile_load_cycles);
    case Opcode::StTile:
      access_tile(ins);
      return complete(params.scalar_tile_store_cycles);
    case Opcode::Dcci:
      clean_cache(ins);
      break;
    case Opcode::Dsb:
      unit_.drain_stores();
      break;
    case Opcode::Br:
      pc_ = static_cast<std::uint32_t>(ins.imm) - 1;
      break;
    case Opcode::BrCmp:
      if (holds(static_cast<CompareMode>(ins.mode), registers_[ins.r0], registers_[ins.r1]))
        pc_ = static_cast<std::uint32_t>(ins.imm) - 1;
      break;
    case Opcode::LdArg:
      load_argument(ins);
      break;
    case Opcode::LdSpr:
      set(ins.r0, special(static_cast<isa::SpecialReg>(ins.mode)));
      break;
    case Opcode::Nop:
      break;
    default:
      set(ins.r0, arithmetic(ins));
  }
  return complete(params.scalar_cycles);
}

bool Interpreter::access_memory(const Instruction& ins) {
  const Operation& op = resolve();
  if (!unit_.reach(op)) return false;
  if (ins.opcode == Opcode::LdGm) {
    load(op, unit_.load(op));
  } else {
    unit_.store(op, registers_[ins.r0]);
  }
  return true;
}

void Interpreter::access_tile(const Instruction& ins) {
  const Operation& op = resolve();
  if (ins.opcode == Opcode::LdTile) {
    load(op, unit_.load_element(op));
  } else {
    unit_.store_element(op, registers_[ins.r0], values_.has_value(ins.r0));
  }
}

/// The result of LDTILE or LDGM.
void Interpreter::load(const Operation& op, std::int64_t value) {
  const std::uint8_t to = op.ins().r0;
  const bool known = unit_.has_value(op);
  if (!known) values_.lose(to);
  set(to, known ? value : 0);
}

void Interpreter::clean_cache(const Instruction& ins) {
  constexpr std::uint64_t kEnd = ~std::uint64_t{0};
  if (ins.mode != 0) return unit_.clean(0, kEnd);
  const auto begin = static_cast<std::uint64_t>(registers_[ins.r0]);
  const std::int64_t bytes = registers_[ins.r1];
  if (bytes < 0) {
    core_.fail(pc_, fmt::format("dcci of {} bytes; limit: not below 0; way out: pass address and size", bytes));
  }
  unit_.clean(begin, begin + std::min(static_cast<std::uint64_t>(bytes), kEnd - begin));
}

void Interpreter::load_argument(const Instruction& ins) {
  const auto& args = *core_.block.args;
  if (ins.imm < 0 || static_cast<std::size_t>(ins.imm) >= args.size()) {
    core_.fail(pc_, fmt::format("argument {} of {}", ins.imm, args.size()));
  }
  set(ins.r0, args[static_cast<std::size_t>(ins.imm)]);
}

std::int64_t Interpreter::arithmetic(const Instruction& ins) const {
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
      if (b == 0) core_.fail(pc_, "division by zero");
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
      return holds(static_cast<CompareMode>(ins.mode), a, b) ? 1 : 0;
    default:
      NPU_ASSERT(false, "not an arithmetic instruction");
      return 0;
  }
}

std::int64_t Interpreter::special(isa::SpecialReg which) const {
  switch (which) {
    case isa::SpecialReg::BlockIndex:
      return core_.block.block;
    case isa::SpecialReg::BlockCount:
      return core_.block.block_count;
    case isa::SpecialReg::SubBlock:
      return core_.block.sub_block;
    case isa::SpecialReg::CardRank:
      return core_.where.card;
    case isa::SpecialReg::CardCount:
      return core_.services.card_count;
    case isa::SpecialReg::CycleCounter:
      return static_cast<std::int64_t>(unit_.time());
  }
  return 0;
}

}  // namespace npu::model
