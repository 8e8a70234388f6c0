// Timing mode: which instructions compute, and what happens to values that nobody computed.
//
// An instruction's time depends on its operands' shapes, places and types, and on when it issues, never on the numbers
// in a tile. What can steer a program are integers: positions, slots, counts, expert ids, page tables, index lists. So
// an instruction computes if and only if all its operands are integers of 16 bits or more (int8 is quantised data) and
// none of its sources comes from an instruction that was skipped; every other instruction takes its time, and what it
// would have written is marked as unknown. By induction everything that is known equals what timed mode computes from
// the same inputs. A scalar register loaded from a float or from unknown bytes has no value: it may travel through
// arithmetic and be an operand of a skipped instruction, but as soon as it steers anything (a branch, an address, an
// extent, a flag, a cell, an integer that is stored) the run stops with an error instead of a wrong time.
#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::DType;
using isa::Instruction;
using isa::Opcode;
using isa::OperandKind;

namespace {

bool is_control_type(DType t) { return t == DType::I16 || t == DType::I32 || t == DType::I64; }

std::uint32_t bit(std::uint8_t reg) { return reg == 0 ? 0U : std::uint32_t{1} << reg; }

std::uint32_t registers_of(const isa::TileDesc& tile) {
  return bit(tile.offset_reg) | bit(tile.valid_rows_reg) | bit(tile.valid_cols_reg);
}

std::size_t slot_of(const isa::OperandSpec& spec) {
  return static_cast<std::size_t>(spec.field) - static_cast<std::size_t>(isa::Field::T0);
}

std::uint16_t tile_of(const Instruction& ins, std::size_t slot) {
  return slot == 0 ? ins.t0 : slot == 1 ? ins.t1 : ins.t2;
}

std::uint8_t register_of(const Instruction& ins, isa::Field field) {
  switch (field) {
    case isa::Field::R0:
      return ins.r0;
    case isa::Field::R1:
      return ins.r1;
    case isa::Field::R2:
      return ins.r2;
    case isa::Field::R3:
      return ins.r3;
    case isa::Field::None:
    case isa::Field::T0:
    case isa::Field::T1:
    case isa::Field::T2:
    case isa::Field::Imm:
      break;
  }
  return 0;
}

/// Calls f(begin, end) for the bytes of each line.
template <class F>
void for_lines(std::uint64_t begin, std::uint32_t lines, std::uint64_t bytes, std::int64_t pitch, F&& f) {
  for (std::uint32_t i = 0; i < lines; ++i, begin += static_cast<std::uint64_t>(pitch)) f(begin, begin + bytes);
}

}  // namespace

/// The bytes of a tile as lines of its space.
Core::TileLines Core::lines_of(std::uint16_t index, const ResolvedTile& t) const {
  const isa::TileDesc& d = block_.program->tiles[index];
  const bool columns = isa::is_column_major(d.layout);
  return {.space = isa::index_of(d.space),
          .begin = t.offset,
          .lines = columns ? t.cols : t.rows,
          .bytes = (columns ? t.rows : t.cols) * isa::size_of(d.dtype),
          .pitch = d.pitch};
}

bool Core::computes_control(const Issued& op) const {
  const Instruction& ins = *op.ins;
  const isa::Program& program = *block_.program;
  for (const isa::OperandSpec& spec : isa::op_info(ins.opcode).operands) {
    const bool is_view = spec.kind == OperandKind::GmSrc || spec.kind == OperandKind::GmDst;
    if (isa::is_tile(spec.kind) && !is_control_type(program.tiles[tile_of(ins, slot_of(spec))].dtype)) return false;
    if (is_view && !is_control_type(program.gms[ins.t1].dtype)) return false;
  }
  for (const isa::OperandSpec& spec : isa::op_info(ins.opcode).operands) {
    bool known = true;
    if (spec.kind == OperandKind::TileSrc || spec.kind == OperandKind::TileInOut) {
      const TileLines t = lines_of(tile_of(ins, slot_of(spec)), op.t[slot_of(spec)]);
      for_lines(t.begin, t.lines, t.bytes, t.pitch,
                [&](std::uint64_t begin, std::uint64_t end) { known = known && !unknown_[t.space].any(begin, end); });
    } else if (spec.kind == OperandKind::GmSrc && uses_memory(op)) {
      const Transfer t = transfer_of(op);
      for_lines(t.address, t.lines, t.line_bytes, t.pitch, [&](std::uint64_t begin, std::uint64_t end) {
        known = known && !services_.memory.is_unknown(begin, end - begin);
      });
    }
    if (!known) return false;
  }
  return true;
}

/// Skipped results are marked by their bounding range: what lies between the lines of a tile or of a tensor's part
/// belongs to the same tile or tensor.
void Core::mark_results(const Issued& op, bool known) {
  const Instruction& ins = *op.ins;
  if (ins.opcode == Opcode::TStore) {
    if (!uses_memory(op)) return;
    const Transfer t = transfer_of(op);
    const bool adds = ins.mode != 0;
    if (!known) {
      services_.memory.mark_unknown(t.address, t.extent());
    } else if (!adds) {
      for_lines(t.address, t.lines, t.line_bytes, t.pitch,
                [&](std::uint64_t begin, std::uint64_t end) { services_.memory.clear_unknown(begin, end - begin); });
    }
    return;
  }
  const TileLines t = lines_of(ins.t0, op.t[0]);
  if (t.lines == 0) return;
  if (known) {
    for_lines(t.begin, t.lines, t.bytes, t.pitch,
              [&](std::uint64_t begin, std::uint64_t end) { unknown_[t.space].clear(begin, end); });
  } else {
    unknown_[t.space].mark(t.begin, t.begin + std::uint64_t{t.lines - 1} * t.pitch + t.bytes);
  }
}

/// LDTILE, LDGM: whether the register gets a value.
bool Core::loads_value(const Instruction& ins) const {
  if (ins.opcode == Opcode::LdGm) {
    const auto dtype = static_cast<DType>(ins.mode);
    return is_control_type(dtype) && !services_.memory.is_unknown(scalar_address(ins), isa::size_of(dtype));
  }
  const isa::TileDesc& d = block_.program->tiles[ins.t0];
  if (!is_control_type(d.dtype)) return false;
  const TileLines t = lines_of(ins.t0, resolve_tile(ins.t0));
  const bool columns = isa::is_column_major(d.layout);
  const auto row = static_cast<std::uint64_t>(registers_[ins.r1]), col = static_cast<std::uint64_t>(registers_[ins.r2]);
  const std::uint64_t at = t.begin + (columns ? col : row) * t.pitch + (columns ? row : col) * isa::size_of(d.dtype);
  return !unknown_[t.space].any(at, at + isa::size_of(d.dtype));
}

/// STTILE: the element at `offset` of the tile's space has the register's value, or none.
void Core::mark_element(const Instruction& ins, std::uint32_t offset) {
  const isa::TileDesc& d = block_.program->tiles[ins.t0];
  UnknownBytes& unknown = unknown_[isa::index_of(d.space)];
  if ((valueless_ & bit(ins.r0)) != 0) {
    unknown.mark(offset, offset + isa::size_of(d.dtype));
  } else {
    unknown.clear(offset, offset + isa::size_of(d.dtype));
  }
}

/// Called before an instruction while some register has no value: stops the run where such a register would steer, and
/// follows it through arithmetic.
void Core::track_valueless(const Instruction& ins) {
  std::uint32_t steering = 0, sources = 0, result = 0;
  for (const isa::OperandSpec& spec : isa::op_info(ins.opcode).operands) {
    switch (spec.kind) {
      case OperandKind::RegDst:
        result = bit(register_of(ins, spec.field));
        break;
      case OperandKind::RegSrc:
        sources |= bit(register_of(ins, spec.field));
        break;
      case OperandKind::FlagId:
        steering |= bit(ins.r0);
        break;
      case OperandKind::Scalar:
        if (is_control_type(block_.program->tiles[ins.t0].dtype)) steering |= bit(ins.r0);
        break;
      case OperandKind::TileDst:
      case OperandKind::TileSrc:
      case OperandKind::TileInOut:
        steering |= registers_of(block_.program->tiles[tile_of(ins, slot_of(spec))]);
        break;
      case OperandKind::GmSrc:
      case OperandKind::GmDst:
        steering |= bit(block_.program->gms[ins.t1].base_reg) | bit(block_.program->gms[ins.t1].pitch_reg);
        break;
      case OperandKind::Imm:
      case OperandKind::Label:
      case OperandKind::PipeName:
        break;
    }
  }
  switch (ins.opcode) {
    case Opcode::Lih:  // keeps the lower half
      sources |= result;
      break;
    case Opcode::LdTile:
    case Opcode::LdGm:
    case Opcode::TTest:
      steering |= sources;
      sources = 0;
      break;
    case Opcode::StTile:  // a float that nobody computed may be stored as what it is
      steering |= sources & ~(is_control_type(block_.program->tiles[ins.t0].dtype) ? 0U : bit(ins.r0));
      break;
    case Opcode::StGm:
      steering |= sources & ~(is_control_type(static_cast<DType>(ins.mode)) ? 0U : bit(ins.r0));
      break;
    default:
      if (result == 0) steering |= sources;  // branches, cells, origins
  }
  if ((steering & valueless_) != 0) {
    fail(
        pc_,
        "a value that timing mode does not compute (a float, or what follows from floats) decides how the program goes "
        "on; give its tensor, or use --mode timed");
  }
  const bool passes_on = (sources & valueless_) != 0;
  valueless_ &= ~result;
  if (passes_on) valueless_ |= result;
}

void Core::retire_without_arithmetic(const Issued& op) {
  if (op.ins->opcode == Opcode::TStore && uses_memory(op)) {
    const Transfer t = transfer_of(op);
    if (services_.memory.is_given(t.address, t.line_bytes)) return;
  }
  const bool known = computes_control(op);
  if (known) isa::execute(*op.ins, operands_of(op));
  mark_results(op, known);
}

}  // namespace npu::model
