#include "isa/operation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/shape_rules.hpp"
#include "isa/tile_rules.hpp"

namespace npu::isa {
namespace {

using Refusal = std::optional<Violation>;

/// Addresses wrap: the sum of a register and an offset is taken modulo 2^64.
std::uint64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b);
}

AccessKind kind_of(OperandKind operand) {
  return operand == OperandKind::TileDst   ? AccessKind::Write
         : operand == OperandKind::TileSrc ? AccessKind::Read
                                           : AccessKind::ReadWrite;
}

/// `rows` x `cols` elements of a tile whose first one lies at `begin`.
Access tile_access(const TileDesc& tile, AccessKind kind, std::uint64_t begin, std::uint32_t rows, std::uint32_t cols) {
  const bool columns = is_column_major(tile.layout);
  return {.begin = begin,
          .pitch = tile.pitch,
          .lines = columns ? cols : rows,
          .line_bytes = (columns ? rows : cols) * size_of(tile.dtype),
          .place = place_of(tile.space),
          .kind = kind,
          .dtype = tile.dtype,
          .layout = tile.layout};
}

/// The valid region of a tile operand.
Refusal resolve_tile(const Program& program, std::uint16_t index, AccessKind kind, const Registers* registers,
                     const ArchSpec& arch, Extent& extent, Access& access) {
  const TileDesc& tile = program.tiles[index];
  const bool by_register = tile.offset_reg != 0 || tile.valid_rows_reg != 0 || tile.valid_cols_reg != 0;
  if (by_register && registers == nullptr) {
    extent = {tile.valid_rows_reg != 0 ? kUnknownExtent : tile.valid_rows,
              tile.valid_cols_reg != 0 ? kUnknownExtent : tile.valid_cols};
    access = tile_access(tile, kind, tile.offset, 0, 0);
    access.known = false;
    return std::nullopt;
  }
  std::int64_t rows = tile.valid_rows, cols = tile.valid_cols, offset = tile.offset;
  if (by_register) {
    if (tile.valid_rows_reg != 0) rows = (*registers)[tile.valid_rows_reg];
    if (tile.valid_cols_reg != 0) cols = (*registers)[tile.valid_cols_reg];
  }
  if (rows < 0 || rows > tile.rows || cols < 0 || cols > tile.cols) {
    return Violation{Stage::Shape, fmt::format("tile {}: valid region {}x{}", program.tile_names[index], rows, cols),
                     fmt::format("the tile is {}x{}", tile.rows, tile.cols),
                     "clamp the registers of the valid region, or declare a larger tile"};
  }
  if (by_register && tile.offset_reg != 0) {
    // The verifier has placed the tile where no register moves it. Only padding reaches beyond the valid region.
    offset = static_cast<std::int64_t>(wrapped_sum(offset, (*registers)[tile.offset_reg]));
    const bool pads = tile.pad != Pad::None;
    if (auto v = check_placement(tile, offset, static_cast<std::uint64_t>(pads ? tile.rows : rows),
                                 static_cast<std::uint64_t>(pads ? tile.cols : cols), arch))
      return v;
  }
  extent = {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(cols)};
  access = tile_access(tile, kind, static_cast<std::uint64_t>(offset), extent.rows, extent.cols);
  return std::nullopt;
}

/// The view that TLOAD reads or TSTORE writes: the extent of its tile, in lines of the view.
Refusal resolve_view(const Program& program, const Instruction& ins, Extent tile, const Registers* registers,
                     Access& access) {
  const GmDesc& gm = program.gms[ins.t1];
  const AccessKind kind = ins.opcode == Opcode::TLoad ? AccessKind::Read
                          : ins.mode == 0             ? AccessKind::Write
                                                      : AccessKind::Add;
  access = {.place = Place::Gm, .kind = kind, .dtype = gm.dtype, .layout = gm.layout};
  if (registers == nullptr) {
    access.known = false;
    return std::nullopt;
  }
  const bool columns = is_column_major(gm.layout);
  access.begin = wrapped_sum((*registers)[gm.base_reg], gm.offset);
  access.lines = columns ? tile.cols : tile.rows;
  access.line_bytes = (columns ? tile.rows : tile.cols) * size_of(gm.dtype);
  access.pitch = gm.pitch_reg != 0 ? (*registers)[gm.pitch_reg] : gm.pitch;
  if (access.lines <= 1) access.pitch = access.line_bytes;
  if (access.pitch >= 0) return std::nullopt;
  return Violation{Stage::Layout, fmt::format("the view's lines are {} bytes apart", access.pitch), "not below 0",
                   "start at the lowest address"};
}

/// One element of global memory: a scalar load or store, or a cell.
Refusal resolve_scalar(const char* what, std::uint64_t address, DType dtype, AccessKind kind, Access& access) {
  access = {.begin = address,
            .pitch = size_of(dtype),
            .lines = 1,
            .line_bytes = size_of(dtype),
            .place = Place::Gm,
            .kind = kind,
            .dtype = dtype};
  if (address % size_of(dtype) == 0) return std::nullopt;
  return Violation{Stage::Target, fmt::format("{} {:#x} is not aligned to {} bytes", what, address, size_of(dtype)),
                   fmt::format("multiples of {} bytes", size_of(dtype)), "align the address"};
}

/// What an instruction without tiles touches in global memory.
Refusal resolve_cells(const Instruction& ins, const Registers* registers, Operation& op) {
  const bool loads = ins.opcode == Opcode::LdGm, stores = ins.opcode == Opcode::StGm;
  if (!loads && !stores && op_info(ins.opcode).op_class != OpClass::Comm) return std::nullopt;
  op.count = 1;
  Access& access = op.accesses[0];
  AccessKind kind = AccessKind::Read;
  if (stores) kind = AccessKind::Write;
  if (ins.opcode == Opcode::TNotify) kind = ins.mode == 0 ? AccessKind::Write : AccessKind::Add;
  if (registers == nullptr) {
    access = {.place = Place::Gm, .kind = kind, .known = false};
    return std::nullopt;
  }
  if (loads || stores) {
    return resolve_scalar("scalar access to", scalar_address(ins, *registers), static_cast<DType>(ins.mode), kind,
                          access);
  }
  const std::uint8_t cell = ins.opcode == Opcode::TTest ? ins.r1 : ins.r0;
  return resolve_scalar("cell", wrapped_sum((*registers)[cell], 0), DType::I32, kind, access);
}

/// LDTILE, STTILE: the element instead of the tile.
Refusal narrow_to_element(const Program& program, const Instruction& ins, Extent valid, const Registers* registers,
                          Access& access) {
  if (registers == nullptr) {
    access.known = false;
    return std::nullopt;
  }
  const std::int64_t row = (*registers)[ins.r1], col = (*registers)[ins.r2];
  if (row < 0 || row >= valid.rows || col < 0 || col >= valid.cols) {
    return Violation{Stage::Shape, fmt::format("element ({}, {}) of tile {}", row, col, program.tile_names[ins.t0]),
                     fmt::format("{}x{} elements are valid", valid.rows, valid.cols), "stay inside the valid region"};
  }
  const bool columns = is_column_major(access.layout);
  access.begin +=
      static_cast<std::uint64_t>((columns ? col : row) * access.pitch + (columns ? row : col) * size_of(access.dtype));
  access.lines = 1;
  access.pitch = access.line_bytes = size_of(access.dtype);
  return std::nullopt;
}

/// TEXTRACT reads the sub-tile at its origin, counted in lines and elements of the row-major source.
Refusal narrow_to_region(const Program& program, const Instruction& ins, const ValidExtents& valid,
                         const Registers* registers, const ArchSpec& arch, Access& source) {
  if (registers == nullptr) {
    source.known = false;
    return std::nullopt;
  }
  const std::int64_t row = (*registers)[ins.r1], col = (*registers)[ins.r2];
  if (auto v = check_extract_origin(ins, program, valid, row, col, arch)) return v;
  const Extent region = extract_region(ins, valid);
  source.begin += static_cast<std::uint64_t>(row * source.pitch + col * size_of(source.dtype));
  source.lines = region.rows;
  source.line_bytes = region.cols * size_of(source.dtype);
  return std::nullopt;
}

Refusal resolve_flag(const Instruction& ins, const Registers* registers, const ArchSpec& arch, Operation& op) {
  op.flag_from = static_cast<Pipe>(ins.t0);
  op.flag_to = static_cast<Pipe>(ins.t1);
  if (ins.r0 != 0 && registers == nullptr) return std::nullopt;
  const std::uint64_t id = wrapped_sum(ins.imm, ins.r0 == 0 ? 0 : (*registers)[ins.r0]);
  const std::uint32_t ids = arch.flag_ids(ins.opcode);
  op.flag = static_cast<std::uint32_t>(id);
  if (id < ids) return std::nullopt;
  const bool cross = ins.opcode == Opcode::SetCross || ins.opcode == Opcode::WaitCross;
  return Violation{Stage::Target, fmt::format("{} id {}", op_info(ins.opcode).mnemonic, static_cast<std::int64_t>(id)),
                   fmt::format("0 to {} ({})", ids - 1, cross ? "core.cross_flags" : "core.flags_per_pair"),
                   "use fewer flags, or raise the limit"};
}

Refusal resolve_operand(const Program& program, const Instruction& ins, const OperandSpec& operand,
                        const Registers* registers, const ArchSpec& arch, ValidExtents& valid, Operation& op) {
  switch (operand.kind) {
    case OperandKind::TileDst:
    case OperandKind::TileSrc:
    case OperandKind::TileInOut: {
      const std::size_t slot = index_of(operand.field) - index_of(Field::T0);
      op.count = std::max(op.count, static_cast<std::uint8_t>(slot + 1));
      return resolve_tile(program, descriptor_field(ins, operand.field), kind_of(operand.kind), registers, arch,
                          valid.t[slot], op.accesses[slot]);
    }
    case OperandKind::Scalar:
      if (ins.r0 == 0) op.scalar = ins.imm;
      if (ins.r0 != 0 && registers != nullptr) op.scalar = (*registers)[ins.r0];
      return std::nullopt;
    case OperandKind::FlagId:
      return resolve_flag(ins, registers, arch, op);
    case OperandKind::GmSrc:  // once the extent of the tile is known
    case OperandKind::GmDst:
    case OperandKind::RegDst:
    case OperandKind::RegSrc:
    case OperandKind::Imm:
    case OperandKind::Label:
    case OperandKind::PipeName:
      return std::nullopt;
  }
  return std::nullopt;
}

Pipe pipe_of(const OpInfo& info, const Instruction& ins, const Program& program, const ArchSpec& arch) {
  switch (info.op_class) {
    case OpClass::Scalar:
    case OpClass::Comm:
      return Pipe::S;
    case OpClass::Cube:
      return Pipe::M;
    case OpClass::Vector:
      return Pipe::V;
    case OpClass::Mover: {
      const auto [from, to] = moved_between(ins, program);
      const std::optional<Pipe> pipe = arch.path(from, to);
      NPU_ASSERT(pipe.has_value(), "the verifier refuses moves without a data path");
      return *pipe;
    }
    case OpClass::Sync:
      if (ins.opcode == Opcode::WaitCross || ins.t0 == kNoDescriptor) return Pipe::S;
      return static_cast<Pipe>(ins.opcode == Opcode::WaitFlag ? ins.t1 : ins.t0);
  }
  NPU_ASSERT(false, "instruction class without a pipe");
  return Pipe::S;
}

}  // namespace

Move moved_between(const Instruction& ins, const Program& program) {
  const Place t0 = place_of(program.tiles[ins.t0].space);
  if (ins.opcode == Opcode::TLoad) return {Place::Gm, t0};
  if (ins.opcode == Opcode::TStore) return {t0, Place::Gm};
  return {place_of(program.tiles[ins.t1].space), t0};
}

Pipe pipe_of(const Instruction& ins, const Program& program, const ArchSpec& arch) {
  return pipe_of(op_info(ins.opcode), ins, program, arch);
}

std::optional<Violation> resolve(const Program& program, std::uint32_t index, const Registers* registers,
                                 const ArchSpec& arch, Operation& out) {
  const Instruction& ins = program.code[index];
  const OpInfo& info = op_info(ins.opcode);
  out.program = &program;
  out.index = index;
  out.opcode = ins.opcode;
  out.pipe = pipe_of(info, ins, program, arch);
  out.count = 0;
  out.scalar = 0;
  ValidExtents valid;
  for (const OperandSpec& operand : info.operands) {
    if (auto v = resolve_operand(program, ins, operand, registers, arch, valid, out)) return v;
  }
  if (out.count == 0) return resolve_cells(ins, registers, out);
  if (ins.opcode == Opcode::TMatmulBias) {
    if (auto v = resolve_tile(program, static_cast<std::uint16_t>(ins.imm), AccessKind::Read, registers, arch,
                              valid.bias, out.accesses[out.count++]))
      return v;
  }
  if (auto v = check_shapes(ins, program, valid)) return v;
  if (ins.opcode == Opcode::TLoad || ins.opcode == Opcode::TStore) {
    out.count = 2;
    return resolve_view(program, ins, valid.t[0], registers, out.accesses[1]);
  }
  if (ins.opcode == Opcode::TExtract) return narrow_to_region(program, ins, valid, registers, arch, out.accesses[1]);
  if (info.op_class == OpClass::Scalar) return narrow_to_element(program, ins, valid.t[0], registers, out.accesses[0]);
  if (ins.opcode == Opcode::TFillPad) {
    const TileDesc& tile = program.tiles[ins.t0];
    Access& whole = out.accesses[out.count++];
    whole = tile_access(tile, AccessKind::Write, out.accesses[0].begin, tile.rows, tile.cols);
    whole.known = tile.offset_reg == 0 || registers != nullptr;
  }
  return std::nullopt;
}

}  // namespace npu::isa
