// Names of all instructions. A new one: a value here, a row in instruction_table.cpp, semantics, timing law, test.
#pragma once

#include <cstdint>

namespace npu::isa {

enum class Opcode : std::uint8_t {
  // Scalar unit
  Nop,
  Halt,
  Li,
  Lih,
  Mov,
  Add,
  Sub,
  Mul,
  Div,
  Rem,
  Min,
  Max,
  And,
  Or,
  Xor,
  Shl,
  Shr,
  Addi,
  Muli,
  Cmp,
  Br,
  BrCmp,
  LdArg,
  LdSpr,
  LdGm,
  StGm,
  LdTile,
  StTile,
  Dcci,
  Dsb,
  // Synchronisation
  SetFlag,
  WaitFlag,
  PipeBarrier,
  SetCross,
  WaitCross,
  // Communication
  TNotify,
  TWait,
  TTest,
  // Movers
  TLoad,
  TStore,
  TMov,
  TExtract,
  // Cube
  TMatmul,
  TMatmulAcc,
  TMatmulBias,
  // Vector: elementwise on two tiles
  TAdd,
  TSub,
  TMul,
  TDiv,
  TMax,
  TMin,
  // Vector: tile with scalar
  TAddS,
  TMulS,
  TMaxS,
  TMinS,
  TDivS,
  TSDiv,
  // Vector: unary
  TExp,
  TLog,
  TSqrt,
  TRsqrt,
  TAbs,
  TRecip,
  TNeg,
  TCopy,
  TCvt,
  // Vector: reductions and broadcasts
  TRowSum,
  TRowMax,
  TRowMin,
  TColSum,
  TColMax,
  TColMin,
  TRowExpand,
  TRowExpandAdd,
  TRowExpandSub,
  TRowExpandMul,
  TRowExpandDiv,
  TColExpand,
  TColExpandAdd,
  TColExpandMul,
  // Vector: fill, permute, sort
  TExpandS,
  TFillPad,
  TCi,
  TTrans,
  TGather,
  TGatherMask,
  TSort32,
  TMrgSort,
};
inline constexpr std::size_t kOpcodeCount = static_cast<std::size_t>(Opcode::TMrgSort) + 1;

}  // namespace npu::isa
