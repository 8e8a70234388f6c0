#include "isa/verifier/operand_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"

namespace npu::isa {
namespace {

const TileDesc& bias_tile(const Instruction& ins, const Program& program) {
  return program.tiles[static_cast<std::size_t>(ins.imm)];
}

Violation wrong_space(std::string_view operand, Space found, std::string_view wanted) {
  return {Stage::Target, fmt::format("{} is in {}", operand, name_of(found)), std::string{wanted},
          "move the tile there first"};
}

struct DataPath {
  Space from, to;
};
constexpr std::array kMovPaths{DataPath{Space::L1, Space::L0A}, DataPath{Space::L1, Space::L0B},
                               DataPath{Space::L1, Space::BT}, DataPath{Space::L0C, Space::L1},
                               DataPath{Space::UB, Space::UB}};

std::optional<Violation> check_move_path(const Instruction& ins, const Program& program) {
  const Space t0 = program.tiles[ins.t0].space;
  if (ins.opcode == Opcode::TLoad) {
    if (t0 == Space::L1 || t0 == Space::UB) return std::nullopt;
    return wrong_space("destination of tload", t0, "gm to l1 or ub");
  }
  if (ins.opcode == Opcode::TStore) {
    if (t0 == Space::L1 || t0 == Space::UB || t0 == Space::L0C) return std::nullopt;
    return wrong_space("source of tstore", t0, "ub, l1 or l0c to gm");
  }
  const Space t1 = program.tiles[ins.t1].space;
  for (const DataPath path : kMovPaths) {
    const bool operand_load = path.to == Space::L0A || path.to == Space::L0B;
    if (path.from == t1 && path.to == t0 && (ins.opcode == Opcode::TMov || operand_load)) return std::nullopt;
  }
  return Violation{Stage::Target, fmt::format("no data path from {} to {}", name_of(t1), name_of(t0)),
                   ins.opcode == Opcode::TMov ? "l1 to l0a, l0b or bt; l0c to l1; ub to ub" : "l1 to l0a or l0b",
                   "go through a space that both sides reach, or through global memory"};
}

std::optional<Violation> check_cube_spaces(const Instruction& ins, const Program& program) {
  constexpr std::array<Space, 3> kWanted{Space::L0C, Space::L0A, Space::L0B};
  constexpr std::array<std::string_view, 3> kOperand{"accumulator", "left operand", "right operand"};
  const std::array<std::uint16_t, 3> tiles{ins.t0, ins.t1, ins.t2};
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Space found = program.tiles[tiles[i]].space;
    if (found != kWanted[i]) return wrong_space(kOperand[i], found, name_of(kWanted[i]));
  }
  if (ins.opcode == Opcode::TMatmulBias && bias_tile(ins, program).space != Space::BT) {
    return wrong_space("bias", bias_tile(ins, program).space, name_of(Space::BT));
  }
  return std::nullopt;
}

std::optional<Violation> check_all_in_ub(const OpInfo& info, const Instruction& ins, const Program& program) {
  for (const OperandSpec& operand : info.operands) {
    if (!is_tile(operand.kind)) continue;
    const Space found = program.tiles[descriptor_field(ins, operand.field)].space;
    if (found != Space::UB)
      return wrong_space(fmt::format("tile operand of {}", info.mnemonic), found, name_of(Space::UB));
  }
  return std::nullopt;
}

std::optional<Violation> wrong_layout(std::string_view operand, Layout found, Layout wanted) {
  if (found == wanted) return std::nullopt;
  return Violation{Stage::Layout, fmt::format("{} has layout {}", operand, name_of(found)),
                   std::string{name_of(wanted)}, "view the tile in that layout, or write it so"};
}

std::optional<Violation> check_all_nd(const OpInfo& info, const Instruction& ins, const Program& program) {
  for (const OperandSpec& operand : info.operands) {
    if (!is_tile(operand.kind)) continue;
    if (auto v = wrong_layout("tile operand", program.tiles[descriptor_field(ins, operand.field)].layout, Layout::ND))
      return v;
  }
  return std::nullopt;
}

std::optional<Violation> check_same_layout(const OpInfo& info, const Instruction& ins, const Program& program) {
  const Layout first = program.tiles[ins.t0].layout;
  for (const OperandSpec& operand : info.operands) {
    if (!is_tile(operand.kind)) continue;
    const Layout other = program.tiles[descriptor_field(ins, operand.field)].layout;
    if (other == first) continue;
    return Violation{Stage::Layout, fmt::format("layouts {} and {} are mixed", name_of(first), name_of(other)),
                     "all tiles of the instruction have one layout", "view the tiles in one layout"};
  }
  return std::nullopt;
}

std::optional<Violation> check_gm_layout(const Instruction& ins, const Program& program) {
  const TileDesc& tile = program.tiles[ins.t0];
  const GmDesc& gm = program.gms[ins.t1];
  const bool transposing_load = ins.opcode == Opcode::TLoad && tile.layout == Layout::NZ;  // DN2NZ
  if (is_column_major(tile.layout) != is_column_major(gm.layout) && !transposing_load) {
    return Violation{Stage::Layout, fmt::format("{} tile with {} view", name_of(tile.layout), name_of(gm.layout)),
                     "nd or nz tile with nd view, dn with dn; a load to nz also with dn",
                     "describe the tensor the other way round; transpose with textract.trans or ttrans"};
  }
  const bool strided_column =
      ins.opcode == Opcode::TLoad && !is_column_major(tile.layout) && tile.cols == 1 && tile.rows > 1;
  if (!strided_column) return std::nullopt;
  return Violation{Stage::Layout, "loads a single strided column", "lines of more than one element, or one line",
                   "use a dn tile and view"};
}

std::optional<Violation> check_move_layout(const Instruction& ins, const Program& program) {
  if (ins.opcode == Opcode::TLoad || ins.opcode == Opcode::TStore) return check_gm_layout(ins, program);
  const TileDesc& dst = program.tiles[ins.t0];
  const TileDesc& src = program.tiles[ins.t1];
  if (dst.space == Space::UB) return wrong_layout("source", src.layout, dst.layout);
  if (dst.space == Space::BT) return wrong_layout("source of a bias", src.layout, Layout::ND);
  if (dst.space == Space::L1) return wrong_layout("destination", dst.layout, Layout::NZ);
  if (auto v = wrong_layout("source of a matrix operand", src.layout, Layout::NZ)) return v;
  const bool transposes = ins.opcode == Opcode::TExtract && ins.mode != 0;
  if (transposes && dst.space == Space::L0A) {
    return Violation{Stage::Layout, "transposing load to l0a", "only the right operand is loaded transposed",
                     "exchange the operands, or transpose on a vector core"};
  }
  if (dst.space == Space::L0B) return wrong_layout("right operand", dst.layout, transposes ? Layout::ZNt : Layout::ZN);
  return std::nullopt;
}

std::optional<Violation> check_pipe(const Program& program, std::uint16_t pipe) {
  if (pipe == kNoDescriptor || has_pipe(program.kind, static_cast<Pipe>(pipe))) return std::nullopt;
  return Violation{Stage::Target, fmt::format("pipe {}", name_of(static_cast<Pipe>(pipe))),
                   fmt::format("{} cores do not have it", name_of(program.kind)),
                   "name the pipe that executes the work"};
}

std::optional<Violation> check_flag_id(const OpInfo& info, const Instruction& ins, const ArchSpec& arch) {
  const bool cross = ins.opcode == Opcode::SetCross || ins.opcode == Opcode::WaitCross;
  const std::uint32_t count = cross ? arch.cross_flags : arch.flags_per_pair;
  if (ins.imm >= 0 && static_cast<std::uint32_t>(ins.imm) < count) return std::nullopt;
  return Violation{Stage::Target, fmt::format("{} id {}", info.mnemonic, ins.imm),
                   fmt::format("0 to {} ({})", count - 1, cross ? "core.cross_flags" : "core.flags_per_pair"),
                   "reuse an id whose wait has passed"};
}

}  // namespace

bool has_pipe(CoreKind core, Pipe pipe) {
  switch (pipe) {
    case Pipe::S:
    case Pipe::MTE2:
    case Pipe::MTE3:
      return true;
    case Pipe::MTE1:
    case Pipe::M:
    case Pipe::FIX:
      return core == CoreKind::AIC;
    case Pipe::V:
      return core == CoreKind::AIV;
  }
  return false;
}

std::optional<Violation> check_spaces(const Instruction& ins, const Program& program) {
  const OpInfo& info = op_info(ins.opcode);
  switch (info.op_class) {
    case OpClass::Sync:
    case OpClass::Comm:
      return std::nullopt;
    case OpClass::Scalar:
      return check_all_in_ub(info, ins, program);
    case OpClass::Mover:
      return check_move_path(ins, program);
    case OpClass::Cube:
    case OpClass::Vector: {
      const CoreKind wanted = info.op_class == OpClass::Cube ? CoreKind::AIC : CoreKind::AIV;
      if (program.kind != wanted) {
        return Violation{Stage::Target, fmt::format("{} in an {} program", info.mnemonic, name_of(program.kind)),
                         fmt::format("{} cores only", name_of(wanted)), "put it into the other part of the kernel"};
      }
      return wanted == CoreKind::AIC ? check_cube_spaces(ins, program) : check_all_in_ub(info, ins, program);
    }
  }
  NPU_ASSERT(false, "instruction class without spaces");
  return std::nullopt;
}

std::optional<Violation> check_layouts(const Instruction& ins, const Program& program) {
  const OpInfo& info = op_info(ins.opcode);
  switch (info.shape) {
    case ShapeRule::None:
      return ins.opcode == Opcode::TCi ? check_all_nd(info, ins, program) : std::nullopt;
    case ShapeRule::Same:
      return ins.opcode == Opcode::TMrgSort ? check_all_nd(info, ins, program) : check_same_layout(info, ins, program);
    case ShapeRule::RowReduce:
      if (auto v = wrong_layout("source", program.tiles[ins.t1].layout, Layout::ND)) return v;
      return wrong_layout("result of a row reduction", program.tiles[ins.t0].layout, Layout::DN);
    case ShapeRule::RowExpand: {
      const bool copies = ins.t2 == kNoDescriptor;
      if (auto v = wrong_layout("destination", program.tiles[ins.t0].layout, Layout::ND)) return v;
      if (auto v = wrong_layout("per-row source", program.tiles[copies ? ins.t1 : ins.t2].layout, Layout::DN)) return v;
      return copies ? std::nullopt : wrong_layout("first source", program.tiles[ins.t1].layout, Layout::ND);
    }
    case ShapeRule::ColReduce:
    case ShapeRule::ColExpand:
    case ShapeRule::Transpose:
    case ShapeRule::Gather:
    case ShapeRule::GatherMask:
    case ShapeRule::Sort:
      return check_all_nd(info, ins, program);
    case ShapeRule::Matmul:
      return std::nullopt;  // each operand space has its layout
    case ShapeRule::Move:
      return check_move_layout(ins, program);
  }
  NPU_ASSERT(false, "shape rule without layouts");
  return std::nullopt;
}

std::optional<Violation> check_fields(const Instruction& ins, const Program& program, const ArchSpec& arch) {
  const OpInfo& info = op_info(ins.opcode);
  for (const OperandSpec& operand : info.operands) {
    if (operand.kind == OperandKind::RegDst && register_field(ins, operand.field) == 0) {
      return Violation{Stage::Target, "writes r0", "r0 reads as zero", "use r1 to r31"};
    }
    if (operand.kind == OperandKind::PipeName) {
      if (auto v = check_pipe(program, descriptor_field(ins, operand.field))) return v;
    }
    if (operand.kind == OperandKind::FlagId) {
      if (auto v = check_flag_id(info, ins, arch)) return v;
    }
  }
  const bool is_flag = ins.opcode == Opcode::SetFlag || ins.opcode == Opcode::WaitFlag;
  if (is_flag && ins.t0 == ins.t1) {
    return Violation{Stage::Target, fmt::format("flag from {} to itself", name_of(static_cast<Pipe>(ins.t0))),
                     "flags join two different pipes", "use pipe_barrier"};
  }
  if (ins.opcode == Opcode::TFillPad && program.tiles[ins.t0].pad == Pad::None) {
    return Violation{Stage::Type, "tile has no pad value", "pad zero, min or max", "state the pad in the descriptor"};
  }
  if (ins.opcode == Opcode::TRecip) {
    const TileDesc& dst = program.tiles[ins.t0];
    const TileDesc& src = program.tiles[ins.t1];
    if (dst.offset == src.offset && dst.offset_reg == src.offset_reg) {
      return Violation{Stage::Target, "trecip in place", "source and destination differ on this machine",
                       "write to another tile"};
    }
  }
  return std::nullopt;
}

}  // namespace npu::isa
