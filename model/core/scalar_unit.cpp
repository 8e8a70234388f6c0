// The scalar unit: a tight interpreter with local time. Arithmetic runs ahead; what touches a tile element, a flag of its
// own, memory or a cell waits until the core, or the whole system, has reached its time.
#include <algorithm>
#include <cstring>

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

std::int64_t load_element(const std::byte* from, isa::DType dtype) {
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    return static_cast<std::int64_t>(value);
  };
  switch (dtype) {
    case isa::DType::I8:
      return as(std::int8_t{});
    case isa::DType::U8:
      return as(std::uint8_t{});
    case isa::DType::I16:
      return as(std::int16_t{});
    case isa::DType::F16:
    case isa::DType::BF16:
      return as(std::uint16_t{});
    case isa::DType::I32:
    case isa::DType::F32:
      return as(std::int32_t{});
    case isa::DType::I64:
      return as(std::int64_t{});
  }
  return 0;
}

void store_element(std::byte* to, isa::DType dtype, std::int64_t value) {
  std::memcpy(to, &value, isa::size_of(dtype));  // little-endian: the low bytes
}

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
      return cache_.hit(static_cast<std::uint64_t>(registers_[ins.r1] + ins.imm)) ? Order::Eager : Order::System;
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
          const std::int32_t value = read_cell(static_cast<std::uint64_t>(registers_[ins.r1]));
          set_register(ins.r0, compare(ins.mode, value, registers_[ins.r2]) ? 1 : 0);
        }
      }
      spend(params.scalar_cycles);
      ++pipes_[0].stats.instructions;
      return true;
    case isa::OpClass::Scalar:
      break;
  }
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
    case Opcode::StTile:
      scalar_tile(ins);
      spend((ins.opcode == Opcode::LdTile ? params.scalar_tile_load_cycles : params.scalar_tile_store_cycles) -
            params.scalar_cycles);
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
  spend(params.scalar_cycles);
  ++pipes_[0].stats.instructions;
  return true;
}

void Core::set_register(std::uint8_t index, std::int64_t value) {
  if (index != 0) registers_[index] = value;
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

// ---- issue to pipes ----------------------------------------------------------------------------------------------

Core::ResolvedTile Core::resolve_tile(std::uint16_t index) const {
  const isa::TileDesc& d = block_.program->tiles[index];
  const std::int64_t offset = std::int64_t{d.offset} + registers_[d.offset_reg];
  const std::int64_t rows = d.valid_rows_reg != 0 ? registers_[d.valid_rows_reg] : d.valid_rows;
  const std::int64_t cols = d.valid_cols_reg != 0 ? registers_[d.valid_cols_reg] : d.valid_cols;
  const auto& name = block_.program->tile_names[index];
  if (rows < 0 || rows > d.rows || cols < 0 || cols > d.cols) {
    fail(pc_, fmt::format("tile {}: valid region {}x{} exceeds its {}x{}", name, rows, cols, d.rows, d.cols));
  }
  const bool columns = isa::is_column_major(d.layout);
  const std::int64_t lines = columns ? cols : rows, length = (columns ? rows : cols) * isa::size_of(d.dtype);
  const std::int64_t end = offset + (lines > 0 ? (lines - 1) * d.pitch + length : 0);
  const auto capacity = static_cast<std::int64_t>(spaces_[isa::index_of(d.space)].size());
  if (offset < 0 || end > capacity) {
    fail(pc_, fmt::format("tile {} covers bytes {} to {} of {}, which has {}", name, offset, end, isa::name_of(d.space),
                          capacity));
  }
  const std::int64_t granule = isa::size_of(d.dtype);
  if (offset % (d.space == Space::UB ? 32 : granule) != 0) {
    fail(pc_, fmt::format("tile {} starts at byte {} of {}, not a multiple of 32", name, offset, isa::name_of(d.space)));
  }
  return {static_cast<std::uint32_t>(offset), static_cast<std::uint16_t>(rows), static_cast<std::uint16_t>(cols)};
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
        op.gm_address = static_cast<std::uint64_t>(registers_[gm.base_reg] + gm.offset);
        op.gm_pitch = gm.pitch_reg != 0 ? registers_[gm.pitch_reg] : gm.pitch;
        break;
      }
      case Scalar:
        op.scalar = ins.r0 != 0 ? registers_[ins.r0] : ins.imm;
        break;
      case FlagId: {
        const std::int64_t id = ins.imm + registers_[ins.r0];
        const bool cross = ins.opcode == Opcode::SetCross;
        const std::uint32_t limit = cross ? env_.machine.arch.cross_flags : env_.machine.arch.flags_per_pair;
        if (id < 0 || id >= limit) fail(pc_, fmt::format("flag id {} of {}", id, limit));
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
  if (ins.opcode == Opcode::TExtract) {
    const isa::TileDesc& source = block_.program->tiles[ins.t1];
    const std::int64_t rows = ins.mode == 1 ? op.t[0].cols : op.t[0].rows;
    const std::int64_t cols = ins.mode == 1 ? op.t[0].rows : op.t[0].cols;
    if (op.row < 0 || op.col < 0 || op.row + rows > source.rows || op.col + cols > source.cols) {
      fail(pc_, fmt::format("sub-tile {}x{} at ({}, {}) exceeds the source's {}x{}", rows, cols, op.row, op.col,
                            source.rows, source.cols));
    }
  }
  return op;
}

bool Core::issue(const Instruction& ins) {
  const Pipe pipe = isa::pipe_of(ins, *block_.program);
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
  const bool on_scalar = isa::pipe_of(ins, *block_.program) == Pipe::S;
  if (!on_scalar) return issue(ins);
  switch (ins.opcode) {
    case Opcode::WaitFlag: {
      const Issued op = resolve(ins);
      std::uint64_t& flag = flags_[ins.t0][scalar_pipe][op.flag];
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
  const std::size_t senders = where_.kind == isa::CoreKind::AIC ? 2 : 1;
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

// ---- memory ------------------------------------------------------------------------------------------------------

void Core::write_back(DataCache::Line& line) {
  std::memcpy(services_.memory.resolve(line.address, DataCache::kLineBytes, "data cache"), line.data.data(),
              DataCache::kLineBytes);
  line.dirty = false;
}

bool Core::scalar_memory(const Instruction& ins) {
  const auto dtype = static_cast<isa::DType>(ins.mode);
  const auto address = static_cast<std::uint64_t>(registers_[ins.r1] + ins.imm);
  if (address % isa::size_of(dtype) != 0) {
    fail(pc_, fmt::format("scalar access to {:#x} is not aligned to {}", address, isa::name_of(dtype)));
  }
  (void)services_.memory.resolve(address, isa::size_of(dtype), block_.program->name);
  if (!cache_.hit(address)) {
    if (!fill_arrives_) {
      fill_arrives_ = true;
      wait_in_order(scalar_time_ + services_.memory.scalar_latency(where_.card, address, false));
      return false;
    }
    DataCache::Line& line = cache_.slot(address);
    if (line.dirty) {
      write_back(line);
      store_done_ = std::max(store_done_, scalar_time_ + services_.memory.scalar_latency(where_.card, line.address, true));
    }
    line.address = DataCache::line_address(address);
    std::memcpy(line.data.data(), services_.memory.resolve(line.address, DataCache::kLineBytes, "data cache"),
                DataCache::kLineBytes);
  }
  fill_arrives_ = false;
  DataCache::Line& line = cache_.slot(address);
  std::byte* element = line.data.data() + (address - line.address);
  if (ins.opcode == Opcode::LdGm) {
    set_register(ins.r0, load_element(element, dtype));
  } else {
    store_element(element, dtype, registers_[ins.r0]);
    line.dirty = true;
  }
  return true;
}

void Core::scalar_tile(const Instruction& ins) {
  const ResolvedTile t = resolve_tile(ins.t0);
  const isa::TileDesc& d = block_.program->tiles[ins.t0];
  const std::int64_t row = registers_[ins.r1], col = registers_[ins.r2];
  if (row < 0 || row >= t.rows || col < 0 || col >= t.cols) {
    fail(pc_, fmt::format("element ({}, {}) of tile {} with {}x{} valid", row, col, block_.program->tile_names[ins.t0],
                          t.rows, t.cols));
  }
  const isa::TileView view{.data = spaces_[isa::index_of(d.space)].data() + t.offset,
                           .pitch = d.pitch,
                           .rows = t.rows,
                           .cols = t.cols,
                           .dtype = d.dtype,
                           .layout = d.layout};
  const bool columns = isa::is_column_major(d.layout);
  std::byte* element = view.data + (columns ? col : row) * d.pitch + (columns ? row : col) * isa::size_of(d.dtype);
  if (ins.opcode == Opcode::LdTile) {
    set_register(ins.r0, load_element(element, d.dtype));
  } else {
    store_element(element, d.dtype, registers_[ins.r0]);
  }
}

void Core::clean_cache(const Instruction& ins) {
  const auto begin = static_cast<std::uint64_t>(registers_[ins.r0]);
  const std::uint64_t end = begin + static_cast<std::uint64_t>(registers_[ins.r1]);
  std::uint64_t cleaned = 0, touched = 0;
  for (DataCache::Line& line : cache_.lines()) {
    if (line.address == DataCache::kInvalid) continue;
    if (ins.mode == 0 && (line.address + DataCache::kLineBytes <= begin || line.address >= end)) continue;
    ++touched;
    if (line.dirty) {
      write_back(line);
      services_.notifies->stored(line.address, DataCache::kLineBytes);
      store_done_ = std::max(store_done_, scalar_time_ + services_.memory.scalar_latency(where_.card, line.address, true));
      ++cleaned;
    }
    line.address = DataCache::kInvalid;
  }
  const double ns = env_.machine.params.core.dcci_ns;
  spend_waiting(scalar_time_ + std::max<std::uint64_t>(1, touched) * cycles_of_ns(env_.machine.params, ns),
                WaitReason::Memory);
}

// ---- cells -------------------------------------------------------------------------------------------------------

std::int32_t Core::read_cell(std::uint64_t address) const {
  std::int32_t value = 0;
  std::memcpy(&value, services_.memory.resolve(address, sizeof value, "cell"), sizeof value);
  return value;
}

void Core::send_notify(const Instruction& ins) {
  const auto address = static_cast<std::uint64_t>(registers_[ins.r0]);
  if (address % sizeof(std::int32_t) != 0) fail(pc_, fmt::format("cell {:#x} is not aligned to 4 bytes", address));
  (void)services_.memory.resolve(address, sizeof(std::int32_t), block_.program->name);
  const std::uint64_t arrival = scalar_time_ + services_.memory.scalar_latency(where_.card, address, true);
  store_done_ = std::max(store_done_, arrival);
  services_.notifies->post(arrival, {.address = address,
                                    .value = static_cast<std::int32_t>(registers_[ins.r1]),
                                    .add = ins.mode == 1,
                                    .source = track_,
                                    .sent = scalar_time_});
}

bool Core::wait_cell(const Instruction& ins) {
  const auto address = static_cast<std::uint64_t>(registers_[ins.r0]);
  if (!watching_) {
    if (address % sizeof(std::int32_t) != 0) fail(pc_, fmt::format("cell {:#x} is not aligned to 4 bytes", address));
    if (card_of(GmAddress{address}) != where_.card) fail(pc_, "twait polls a cell of its own card");
  }
  if (!compare(ins.mode, read_cell(address), registers_[ins.r1])) {
    if (!watching_) {
      block_scalar(ScalarState::Cell, WaitReason::Notify);
      services_.notifies->watch(address, *this);
      watching_ = true;
      watched_cell_ = address;
    }
    return false;
  }
  if (watching_) {
    services_.notifies->unwatch(address, *this);
    watching_ = false;
    resume_scalar(env_.clock.now());
    if (env_.sink != nullptr && has_notify_) {
      env_.sink->flow(traces::FlowKind::NotifyToWait, last_notify_.source, Cycles{last_notify_.sent}, track_,
                      Cycles{scalar_time_});
    }
  }
  has_notify_ = false;
  spend_waiting(scalar_time_ + cycles_of_ns(env_.machine.params, env_.machine.params.link.poll_ns), WaitReason::Notify);
  return true;
}

}  // namespace npu::model
