// One row per instruction: what the assembler, the encoder, the verifier and the model need to know of its form.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "isa/instructions/opcode.hpp"
#include "isa/program.hpp"
#include "isa/types.hpp"

namespace npu::isa {

enum class OpClass : std::uint8_t { Scalar, Sync, Comm, Mover, Cube, Vector };

/// What one operand of the text form is. Destination comes first.
enum class OperandKind : std::uint8_t {
  RegDst,
  RegSrc,
  Imm,       ///< decimal or hexadecimal 32-bit immediate
  Label,     ///< branch target: instruction index in imm
  Scalar,    ///< r0 when not zero, else imm: fp32 bits for float tiles, integer otherwise
  FlagId,    ///< imm plus r0 when not zero
  PipeName,  ///< pipe number in a t field; 0xffff is "all" where the row allows it
  TileDst,
  TileSrc,
  TileInOut,
  GmSrc,
  GmDst,
};
enum class Field : std::uint8_t { None, T0, T1, T2, R0, R1, R2, R3, Imm };
struct OperandSpec {
  OperandKind kind;
  Field field;
};

/// What `mode` holds; written as a dotted attribute of the mnemonic ("tcvt.rint", "br.lt", "ldgm.i32").
enum class ModeKind : std::uint8_t {
  None,
  Round,      ///< RoundMode
  Compare,    ///< CompareMode
  DType,      ///< of a scalar load or store
  Special,    ///< SpecialReg
  Atomic,     ///< 0 none, 1 add
  Transpose,  ///< 0 plain, 1 source is [n, k] (right operand only)
  NotifyOp,   ///< 0 set, 1 add
  Extent,     ///< DCCI: 0 range, 1 whole cache
  Pattern,    ///< TGATHERMASK: 0 even, 1 odd, 2..5 lane (pattern - 2) of every four
};

/// How the valid shapes of the tiles relate; checked by the verifier (static) and the model (register shapes).
enum class ShapeRule : std::uint8_t {
  None,
  Same,        ///< all tiles: equal valid shape and layout
  RowReduce,   ///< dst [rows, 1] DN from src [rows, cols]
  ColReduce,   ///< dst [1, cols] from src [rows, cols]
  RowExpand,   ///< dst [rows, cols] from src [rows, 1] DN (and an equal-shaped first source)
  ColExpand,   ///< dst [rows, cols] from src [1, cols] (and an equal-shaped first source)
  Transpose,   ///< dst [cols, rows] from src [rows, cols]
  Matmul,      ///< acc [m, n], left [m, k], right [k, n]; bias [1, n]
  Gather,      ///< dst and index equal shape, src same rows
  GatherMask,  ///< dst [rows, cols / keep]
  Sort,        ///< dst [rows, 2 * cols] from [rows, cols]
  Move,        ///< TLOAD, TSTORE, TMOV, TEXTRACT
};

struct OpInfo {
  Opcode opcode;
  std::string_view mnemonic;  ///< lower case, PTO names
  OpClass op_class;
  ModeKind mode;
  ShapeRule shape;
  std::span<const OperandSpec> operands;
  std::span<const DType> dtypes;  ///< of the first source tile (of the moved tile); empty: not a tile operation
  std::string_view meaning;
};

[[nodiscard]] const OpInfo& op_info(Opcode op);
[[nodiscard]] std::span<const OpInfo> instruction_table();
[[nodiscard]] std::optional<Opcode> opcode_from_mnemonic(std::string_view mnemonic);

}  // namespace npu::isa
