#include "model/core/register_values.hpp"

#include "isa/instructions/instruction_form.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/execution.hpp"

namespace npu::model {

using isa::DType;
using isa::Instruction;
using isa::Opcode;
using isa::OperandKind;

namespace {

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

}  // namespace

void RegisterValues::follow_missing(const isa::Program& program, std::uint32_t at) {
  const Instruction& ins = program.code[at];
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
        if (is_control_type(program.tiles[ins.t0].dtype)) steering |= bit(ins.r0);
        break;
      case OperandKind::TileDst:
      case OperandKind::TileSrc:
      case OperandKind::TileInOut:
        steering |= registers_of(program.tiles[tile_of(ins, slot_of(spec))]);
        break;
      case OperandKind::GmSrc:
      case OperandKind::GmDst:
        steering |= bit(program.gms[ins.t1].base_reg) | bit(program.gms[ins.t1].pitch_reg);
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
      steering |= sources & ~(is_control_type(program.tiles[ins.t0].dtype) ? 0U : bit(ins.r0));
      break;
    case Opcode::StGm:
      steering |= sources & ~(is_control_type(static_cast<DType>(ins.mode)) ? 0U : bit(ins.r0));
      break;
    default:
      if (result == 0) steering |= sources;  // branches, cells, origins
  }
  if ((steering & missing_) != 0) {
    core_.fail(
        at,
        "a value that timing mode does not compute (a float, or what follows from floats) decides how the program goes "
        "on; give its tensor, or use --mode timed");
  }
  const bool passes_on = (sources & missing_) != 0;
  missing_ &= ~result;
  if (passes_on) missing_ |= result;
}

}  // namespace npu::model
