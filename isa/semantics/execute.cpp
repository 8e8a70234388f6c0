#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/semantics/matmul_kernels.hpp"
#include "isa/semantics/operations.hpp"
#include "isa/semantics/strided_copy.hpp"
#include "isa/units.hpp"

namespace npu::isa {
namespace {

struct Range {
  std::uintptr_t begin, end;
};
Range bytes_of(const TileView& t) {
  const auto begin = reinterpret_cast<std::uintptr_t>(t.data);
  return {begin, begin + extent_of_lines(t.lines(), std::uint64_t{t.line_length()} * size_of(t.dtype), t.pitch)};
}

// True if no byte belongs to both tiles, among others for two column ranges of one wider tile.
bool disjoint(const TileView& a, const TileView& b) {
  const Range x = bytes_of(a), y = bytes_of(b);
  if (x.end <= y.begin || y.end <= x.begin) return true;
  if (a.pitch != b.pitch || a.pitch == 0) return false;
  const std::uintptr_t distance =
      y.begin >= x.begin ? (y.begin - x.begin) % a.pitch : (a.pitch - (x.begin - y.begin) % a.pitch) % a.pitch;
  return distance >= std::uintptr_t{a.line_length()} * size_of(a.dtype) &&
         distance + std::uintptr_t{b.line_length()} * size_of(b.dtype) <= a.pitch;
}

bool same_place(const TileView& a, const TileView& b) {
  return a.data == b.data && a.pitch == b.pitch && size_of(a.dtype) == size_of(b.dtype) &&
         is_column_major(a.layout) == is_column_major(b.layout) && a.rows == b.rows && a.cols == b.cols;
}

// A vector instruction reads all of its sources before it writes. A source that shares bytes with the destination is
// therefore copied, unless it is the destination itself and element i depends on element i only.
Operands separate(const Instruction& ins, const Operands& operands) {
  const ShapeRule shape = op_info(ins.opcode).shape;
  const bool positionwise =
      ins.opcode != Opcode::TMrgSort &&
      (shape == ShapeRule::Same || shape == ShapeRule::RowExpand || shape == ShapeRule::ColExpand);
  thread_local std::array<Scratch, 2> copies;
  Operands result = operands;
  for (std::size_t i = 1; i < result.t.size(); ++i) {
    TileView& source = result.t[i];
    if (source.data == nullptr || disjoint(result.t[0], source)) continue;
    if (positionwise && same_place(result.t[0], source)) continue;
    const std::size_t bytes = std::size_t{source.line_length()} * size_of(source.dtype);
    const Lines copy{copies[i - 1].get<std::byte>(bytes * source.lines()), static_cast<std::int64_t>(bytes)};
    copy_lines(copy, lines_of(source), source.lines(), bytes);
    source.data = copy.data;
    source.pitch = static_cast<std::uint32_t>(bytes);
  }
  return result;
}

void execute_vector(const Instruction& ins, const Operands& operands) {
  switch (ins.opcode) {
    case Opcode::TAdd:
    case Opcode::TSub:
    case Opcode::TMul:
    case Opcode::TDiv:
    case Opcode::TMax:
    case Opcode::TMin:
    case Opcode::TAddS:
    case Opcode::TMulS:
    case Opcode::TMaxS:
    case Opcode::TMinS:
    case Opcode::TDivS:
    case Opcode::TSDiv:
      return execute_binary(ins, operands);
    case Opcode::TExp:
    case Opcode::TLog:
    case Opcode::TSqrt:
    case Opcode::TRsqrt:
    case Opcode::TAbs:
    case Opcode::TRecip:
    case Opcode::TNeg:
    case Opcode::TCopy:
      return execute_unary(ins, operands);
    case Opcode::TCvt:
      return execute_cast(ins, operands);
    case Opcode::TRowSum:
    case Opcode::TRowMax:
    case Opcode::TRowMin:
    case Opcode::TColSum:
    case Opcode::TColMax:
    case Opcode::TColMin:
      return execute_reduction(ins, operands);
    case Opcode::TRowExpand:
    case Opcode::TRowExpandAdd:
    case Opcode::TRowExpandSub:
    case Opcode::TRowExpandMul:
    case Opcode::TRowExpandDiv:
    case Opcode::TColExpand:
    case Opcode::TColExpandAdd:
    case Opcode::TColExpandMul:
      return execute_expand(ins, operands);
    case Opcode::TExpandS:
    case Opcode::TFillPad:
    case Opcode::TCi:
      return execute_fill(ins, operands);
    case Opcode::TTrans:
    case Opcode::TGather:
    case Opcode::TGatherMask:
      return execute_permute(ins, operands);
    case Opcode::TSort32:
    case Opcode::TMrgSort:
      return execute_sort(ins, operands);
    default:
      NPU_ASSERT(false, "vector instruction without semantics");
  }
}

}  // namespace

void execute(const Instruction& ins, const Operands& operands) {
  switch (op_info(ins.opcode).op_class) {
    case OpClass::Mover:
      return execute_mover(ins, operands);
    case OpClass::Cube:
      return execute_matmul(ins, operands);
    case OpClass::Vector:
      return execute_vector(ins, separate(ins, operands));
    case OpClass::Scalar:
    case OpClass::Sync:
    case OpClass::Comm:
      NPU_ASSERT(false, "execute: scalar, synchronisation and communication instructions belong to the machine");
  }
}

}  // namespace npu::isa
