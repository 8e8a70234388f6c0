#include "isa/instructions/instruction_table.hpp"

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

using enum OperandKind;
using Form = OperandSpec;

// Operand forms, named by kind and field in text order.
constexpr Form kRegDstR0ImmImm[] = {{RegDst, Field::R0}, {Imm, Field::Imm}};
constexpr Form kRegDstR0RegSrcR1[] = {{RegDst, Field::R0}, {RegSrc, Field::R1}};
constexpr Form kRegDstR0RegSrcR1RegSrcR2[] = {{RegDst, Field::R0}, {RegSrc, Field::R1}, {RegSrc, Field::R2}};
constexpr Form kRegDstR0RegSrcR1ImmImm[] = {{RegDst, Field::R0}, {RegSrc, Field::R1}, {Imm, Field::Imm}};
constexpr Form kLabelImm[] = {{Label, Field::Imm}};
constexpr Form kRegSrcR0RegSrcR1LabelImm[] = {{RegSrc, Field::R0}, {RegSrc, Field::R1}, {Label, Field::Imm}};
constexpr Form kRegDstR0[] = {{RegDst, Field::R0}};
constexpr Form kRegSrcR0RegSrcR1ImmImm[] = {{RegSrc, Field::R0}, {RegSrc, Field::R1}, {Imm, Field::Imm}};
constexpr Form kRegDstR0TileSrcT0RegSrcR1RegSrcR2[] = {
    {RegDst, Field::R0}, {TileSrc, Field::T0}, {RegSrc, Field::R1}, {RegSrc, Field::R2}};
constexpr Form kRegSrcR0TileDstT0RegSrcR1RegSrcR2[] = {
    {RegSrc, Field::R0}, {TileDst, Field::T0}, {RegSrc, Field::R1}, {RegSrc, Field::R2}};
constexpr Form kRegSrcR0RegSrcR1[] = {{RegSrc, Field::R0}, {RegSrc, Field::R1}};
constexpr Form kPipeNameT0PipeNameT1FlagIdImm[] = {{PipeName, Field::T0}, {PipeName, Field::T1}, {FlagId, Field::Imm}};
constexpr Form kPipeNameT0[] = {{PipeName, Field::T0}};
constexpr Form kPipeNameT0FlagIdImm[] = {{PipeName, Field::T0}, {FlagId, Field::Imm}};
constexpr Form kFlagIdImm[] = {{FlagId, Field::Imm}};
constexpr Form kTileDstT0GmSrcT1[] = {{TileDst, Field::T0}, {GmSrc, Field::T1}};
constexpr Form kGmDstT1TileSrcT0[] = {{GmDst, Field::T1}, {TileSrc, Field::T0}};
constexpr Form kTileDstT0TileSrcT1[] = {{TileDst, Field::T0}, {TileSrc, Field::T1}};
constexpr Form kTileDstT0TileSrcT1RegSrcR1RegSrcR2[] = {
    {TileDst, Field::T0}, {TileSrc, Field::T1}, {RegSrc, Field::R1}, {RegSrc, Field::R2}};
constexpr Form kTileDstT0TileSrcT1TileSrcT2[] = {{TileDst, Field::T0}, {TileSrc, Field::T1}, {TileSrc, Field::T2}};
constexpr Form kTileInOutT0TileSrcT1TileSrcT2[] = {{TileInOut, Field::T0}, {TileSrc, Field::T1}, {TileSrc, Field::T2}};
constexpr Form kTileDstT0TileSrcT1TileSrcT2ImmImm[] = {
    {TileDst, Field::T0}, {TileSrc, Field::T1}, {TileSrc, Field::T2}, {Imm, Field::Imm}};
constexpr Form kTileDstT0TileSrcT1ScalarR0[] = {{TileDst, Field::T0}, {TileSrc, Field::T1}, {Scalar, Field::R0}};
constexpr Form kTileDstT0ScalarR0[] = {{TileDst, Field::T0}, {Scalar, Field::R0}};
constexpr Form kTileInOutT0[] = {{TileInOut, Field::T0}};
constexpr Form kTileDstT0TileSrcT1ImmImm[] = {{TileDst, Field::T0}, {TileSrc, Field::T1}, {Imm, Field::Imm}};

constexpr DType kAny[] = {DType::I8,  DType::U8,  DType::I16,  DType::I32,
                          DType::I64, DType::F16, DType::BF16, DType::F32};
constexpr DType kAnyVec[] = {DType::I8,  DType::U8,  DType::I16,  DType::I32,
                             DType::I64, DType::F16, DType::BF16, DType::F32};
constexpr DType kMat[] = {DType::I8, DType::F16, DType::BF16, DType::F32};
constexpr DType kArith[] = {DType::I16, DType::I32, DType::F16, DType::F32};
constexpr DType kFloat[] = {DType::F16, DType::F32};
constexpr DType kF32[] = {DType::F32};
constexpr DType k32and16[] = {DType::I16, DType::I32, DType::F16, DType::BF16, DType::F32};
constexpr DType kInt32and16[] = {DType::I16, DType::I32};

// In the order of Opcode.
constexpr OpInfo kTable[] = {
    {Opcode::Nop, "nop", OpClass::Scalar, ModeKind::None, ShapeRule::None, {}, {}, "does nothing for one cycle"},
    {Opcode::Halt,
     "halt",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     {},
     {},
     "ends the program once every pipe has drained"},
    {Opcode::Li,
     "li",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0ImmImm,
     {},
     "rd = sign-extended immediate"},
    {Opcode::Lih,
     "lih",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0ImmImm,
     {},
     "upper 32 bits of rd = immediate"},
    {Opcode::Mov, "mov", OpClass::Scalar, ModeKind::None, ShapeRule::None, kRegDstR0RegSrcR1, {}, "rd = ra"},
    {Opcode::Add,
     "add",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra + rb"},
    {Opcode::Sub,
     "sub",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra - rb"},
    {Opcode::Mul,
     "mul",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra * rb"},
    {Opcode::Div,
     "div",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra / rb, signed, towards zero; division by zero is a program error"},
    {Opcode::Rem,
     "rem",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra % rb, sign of ra"},
    {Opcode::Min,
     "min",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = min(ra, rb), signed"},
    {Opcode::Max,
     "max",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = max(ra, rb), signed"},
    {Opcode::And,
     "and",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra & rb"},
    {Opcode::Or, "or", OpClass::Scalar, ModeKind::None, ShapeRule::None, kRegDstR0RegSrcR1RegSrcR2, {}, "rd = ra | rb"},
    {Opcode::Xor,
     "xor",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra ^ rb"},
    {Opcode::Shl,
     "shl",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra << rb"},
    {Opcode::Shr,
     "shr",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra >> rb, logical"},
    {Opcode::Addi,
     "addi",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1ImmImm,
     {},
     "rd = ra + immediate"},
    {Opcode::Muli,
     "muli",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0RegSrcR1ImmImm,
     {},
     "rd = ra * immediate"},
    {Opcode::Cmp,
     "cmp",
     OpClass::Scalar,
     ModeKind::Compare,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = ra cmp rb ? 1 : 0, signed"},
    {Opcode::Br, "br", OpClass::Scalar, ModeKind::None, ShapeRule::None, kLabelImm, {}, "jump"},
    {Opcode::BrCmp,
     "brcmp",
     OpClass::Scalar,
     ModeKind::Compare,
     ShapeRule::None,
     kRegSrcR0RegSrcR1LabelImm,
     {},
     "jump if ra cmp rb, signed"},
    {Opcode::LdArg,
     "ldarg",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     kRegDstR0ImmImm,
     {},
     "rd = task argument: GM address of a tensor, or a scalar"},
    {Opcode::LdSpr,
     "ldspr",
     OpClass::Scalar,
     ModeKind::Special,
     ShapeRule::None,
     kRegDstR0,
     {},
     "rd = special register"},
    {Opcode::LdGm,
     "ldgm",
     OpClass::Scalar,
     ModeKind::DType,
     ShapeRule::None,
     kRegDstR0RegSrcR1ImmImm,
     {},
     "rd = GM element at ra + immediate, through the data cache; f32 as bits"},
    {Opcode::StGm,
     "stgm",
     OpClass::Scalar,
     ModeKind::DType,
     ShapeRule::None,
     kRegSrcR0RegSrcR1ImmImm,
     {},
     "GM element at ra + immediate = value r0, into the data cache"},
    {Opcode::LdTile, "ldtile", OpClass::Scalar, ModeKind::None, ShapeRule::None, kRegDstR0TileSrcT0RegSrcR1RegSrcR2,
     kAnyVec, "rd = tile element (row ra, column rb); f32 as bits"},
    {Opcode::StTile, "sttile", OpClass::Scalar, ModeKind::None, ShapeRule::None, kRegSrcR0TileDstT0RegSrcR1RegSrcR2,
     kAnyVec, "tile element (row ra, column rb) = r0"},
    {Opcode::Dcci,
     "dcci",
     OpClass::Scalar,
     ModeKind::Extent,
     ShapeRule::None,
     kRegSrcR0RegSrcR1,
     {},
     "clean and invalidate the data-cache lines of [r0, r0 + r1), or all"},
    {Opcode::Dsb,
     "dsb",
     OpClass::Scalar,
     ModeKind::None,
     ShapeRule::None,
     {},
     {},
     "wait until every earlier store of this core has reached memory"},
    {Opcode::SetFlag,
     "set_flag",
     OpClass::Sync,
     ModeKind::None,
     ShapeRule::None,
     kPipeNameT0PipeNameT1FlagIdImm,
     {},
     "flag (set pipe, wait pipe, id) is set once the set pipe has retired everything before"},
    {Opcode::WaitFlag,
     "wait_flag",
     OpClass::Sync,
     ModeKind::None,
     ShapeRule::None,
     kPipeNameT0PipeNameT1FlagIdImm,
     {},
     "the wait pipe stalls until the flag is set, then clears it"},
    {Opcode::PipeBarrier,
     "pipe_barrier",
     OpClass::Sync,
     ModeKind::None,
     ShapeRule::None,
     kPipeNameT0,
     {},
     "later instructions of the pipe (of all pipes) start after the earlier ones have retired"},
    {Opcode::SetCross,
     "set_cross",
     OpClass::Sync,
     ModeKind::None,
     ShapeRule::None,
     kPipeNameT0FlagIdImm,
     {},
     "cross-core flag: cube to both vectors, vector to cube, once the pipe has retired everything before"},
    {Opcode::WaitCross,
     "wait_cross",
     OpClass::Sync,
     ModeKind::None,
     ShapeRule::None,
     kFlagIdImm,
     {},
     "issue stalls until the counter (both counters on the cube) is above zero, then takes one"},
    {Opcode::TNotify,
     "tnotify",
     OpClass::Comm,
     ModeKind::NotifyOp,
     ShapeRule::None,
     kRegSrcR0RegSrcR1,
     {},
     "int32 cell at r0 (any card) = value r1, or += r1 atomically"},
    {Opcode::TWait,
     "twait",
     OpClass::Comm,
     ModeKind::Compare,
     ShapeRule::None,
     kRegSrcR0RegSrcR1,
     {},
     "stall until the local int32 cell at r0 compares true with r1"},
    {Opcode::TTest,
     "ttest",
     OpClass::Comm,
     ModeKind::Compare,
     ShapeRule::None,
     kRegDstR0RegSrcR1RegSrcR2,
     {},
     "rd = local int32 cell at ra cmp rb ? 1 : 0"},
    {Opcode::TLoad, "tload", OpClass::Mover, ModeKind::None, ShapeRule::Move, kTileDstT0GmSrcT1, kAny,
     "GM view to UB or L1 tile"},
    {Opcode::TStore, "tstore", OpClass::Mover, ModeKind::Atomic, ShapeRule::Move, kGmDstT1TileSrcT0, kAny,
     "UB, L1 or L0C tile to GM; L0C f32 may narrow to f16 or bf16 (nearest even)"},
    {Opcode::TMov, "tmov", OpClass::Mover, ModeKind::None, ShapeRule::Move, kTileDstT0TileSrcT1, kAny,
     "L1 to L0A, L0B, BT; L0C to L1; UB to UB"},
    {Opcode::TExtract, "textract", OpClass::Mover, ModeKind::Transpose, ShapeRule::Move,
     kTileDstT0TileSrcT1RegSrcR1RegSrcR2, kMat,
     "sub-tile of an L1 tile at (row ra, column rb), in source coordinates, to L0A or L0B"},
    {Opcode::TMatmul, "tmatmul", OpClass::Cube, ModeKind::None, ShapeRule::Matmul, kTileDstT0TileSrcT1TileSrcT2, kMat,
     "acc = left x right"},
    {Opcode::TMatmulAcc, "tmatmul.acc", OpClass::Cube, ModeKind::None, ShapeRule::Matmul,
     kTileInOutT0TileSrcT1TileSrcT2, kMat, "acc = acc + left x right, acc as initial value of the chain"},
    {Opcode::TMatmulBias, "tmatmul.bias", OpClass::Cube, ModeKind::None, ShapeRule::Matmul,
     kTileDstT0TileSrcT1TileSrcT2ImmImm, kMat, "acc = bias row + left x right; imm is the bias tile descriptor in BT"},
    {Opcode::TAdd, "tadd", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kArith,
     "dst = a + b, elementwise"},
    {Opcode::TSub, "tsub", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kArith,
     "dst = a - b, elementwise"},
    {Opcode::TMul, "tmul", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kArith,
     "dst = a * b, elementwise"},
    {Opcode::TDiv, "tdiv", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kFloat,
     "dst = a / b, elementwise"},
    {Opcode::TMax, "tmax", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kArith,
     "dst = a max b, elementwise"},
    {Opcode::TMin, "tmin", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1TileSrcT2, kArith,
     "dst = a min b, elementwise"},
    {Opcode::TAddS, "tadds", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kArith,
     "dst = a + scalar"},
    {Opcode::TMulS, "tmuls", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kArith,
     "dst = a * scalar"},
    {Opcode::TMaxS, "tmaxs", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kArith,
     "dst = a max scalar"},
    {Opcode::TMinS, "tmins", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kArith,
     "dst = a min scalar"},
    {Opcode::TDivS, "tdivs", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kFloat,
     "dst = a / scalar"},
    {Opcode::TSDiv, "tsdiv", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ScalarR0, kFloat,
     "dst = scalar / a"},
    {Opcode::TExp, "texp", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat, "dst = e^a"},
    {Opcode::TLog, "tlog", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat, "dst = ln a"},
    {Opcode::TSqrt, "tsqrt", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat,
     "dst = sqrt a, correctly rounded"},
    {Opcode::TRsqrt, "trsqrt", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat,
     "dst = 1 / sqrt a, rounded once"},
    {Opcode::TAbs, "tabs", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat, "dst = |a|"},
    {Opcode::TRecip, "trecip", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kFloat,
     "dst = 1 / a"},
    {Opcode::TNeg, "tneg", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kArith, "dst = -a"},
    {Opcode::TCopy, "tcopy", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1, kAnyVec, "dst = a"},
    {Opcode::TCvt, "tcvt", OpClass::Vector, ModeKind::Round, ShapeRule::Same, kTileDstT0TileSrcT1, kAnyVec,
     "cast with rounding mode (isa.md section 6)"},
    {Opcode::TRowSum, "trowsum", OpClass::Vector, ModeKind::None, ShapeRule::RowReduce, kTileDstT0TileSrcT1, kArith,
     "dst[r] = sum over columns"},
    {Opcode::TRowMax, "trowmax", OpClass::Vector, ModeKind::None, ShapeRule::RowReduce, kTileDstT0TileSrcT1, kArith,
     "dst[r] = max over columns"},
    {Opcode::TRowMin, "trowmin", OpClass::Vector, ModeKind::None, ShapeRule::RowReduce, kTileDstT0TileSrcT1, kArith,
     "dst[r] = min over columns"},
    {Opcode::TColSum, "tcolsum", OpClass::Vector, ModeKind::None, ShapeRule::ColReduce, kTileDstT0TileSrcT1, kArith,
     "dst[c] = sum over rows, in row order"},
    {Opcode::TColMax, "tcolmax", OpClass::Vector, ModeKind::None, ShapeRule::ColReduce, kTileDstT0TileSrcT1, kArith,
     "dst[c] = max over rows, in row order"},
    {Opcode::TColMin, "tcolmin", OpClass::Vector, ModeKind::None, ShapeRule::ColReduce, kTileDstT0TileSrcT1, kArith,
     "dst[c] = min over rows, in row order"},
    {Opcode::TRowExpand, "trowexpand", OpClass::Vector, ModeKind::None, ShapeRule::RowExpand, kTileDstT0TileSrcT1,
     k32and16, "dst[r][c] = src[r]"},
    {Opcode::TRowExpandAdd, "trowexpandadd", OpClass::Vector, ModeKind::None, ShapeRule::RowExpand,
     kTileDstT0TileSrcT1TileSrcT2, kArith, "dst[r][c] = a[r][c] + s[r]"},
    {Opcode::TRowExpandSub, "trowexpandsub", OpClass::Vector, ModeKind::None, ShapeRule::RowExpand,
     kTileDstT0TileSrcT1TileSrcT2, kArith, "dst[r][c] = a[r][c] - s[r]"},
    {Opcode::TRowExpandMul, "trowexpandmul", OpClass::Vector, ModeKind::None, ShapeRule::RowExpand,
     kTileDstT0TileSrcT1TileSrcT2, kArith, "dst[r][c] = a[r][c] * s[r]"},
    {Opcode::TRowExpandDiv, "trowexpanddiv", OpClass::Vector, ModeKind::None, ShapeRule::RowExpand,
     kTileDstT0TileSrcT1TileSrcT2, kFloat, "dst[r][c] = a[r][c] / s[r]"},
    {Opcode::TColExpand, "tcolexpand", OpClass::Vector, ModeKind::None, ShapeRule::ColExpand, kTileDstT0TileSrcT1,
     k32and16, "dst[r][c] = src[c]"},
    {Opcode::TColExpandAdd, "tcolexpandadd", OpClass::Vector, ModeKind::None, ShapeRule::ColExpand,
     kTileDstT0TileSrcT1TileSrcT2, kArith, "dst[r][c] = a[r][c] + v[c]"},
    {Opcode::TColExpandMul, "tcolexpandmul", OpClass::Vector, ModeKind::None, ShapeRule::ColExpand,
     kTileDstT0TileSrcT1TileSrcT2, kArith, "dst[r][c] = a[r][c] * v[c]"},
    {Opcode::TExpandS, "texpands", OpClass::Vector, ModeKind::None, ShapeRule::None, kTileDstT0ScalarR0, kAnyVec,
     "dst = scalar"},
    {Opcode::TFillPad, "tfillpad", OpClass::Vector, ModeKind::None, ShapeRule::None, kTileInOutT0, kAnyVec,
     "elements outside the valid region = the descriptor's pad value"},
    {Opcode::TCi, "tci", OpClass::Vector, ModeKind::None, ShapeRule::None, kTileDstT0ScalarR0, kInt32and16,
     "dst[0][c] = scalar + c"},
    {Opcode::TTrans, "ttrans", OpClass::Vector, ModeKind::None, ShapeRule::Transpose, kTileDstT0TileSrcT1, kAnyVec,
     "dst[c][r] = src[r][c]"},
    {Opcode::TGather, "tgather", OpClass::Vector, ModeKind::None, ShapeRule::Gather, kTileDstT0TileSrcT1TileSrcT2,
     k32and16, "dst[r][c] = src[r][index[r][c]], index i32; out of range is a program error"},
    {Opcode::TGatherMask, "tgathermask", OpClass::Vector, ModeKind::Pattern, ShapeRule::GatherMask, kTileDstT0TileSrcT1,
     k32and16, "dst[r] = lanes of src[r] that the pattern keeps"},
    {Opcode::TSort32, "tsort32", OpClass::Vector, ModeKind::None, ShapeRule::Sort, kTileDstT0TileSrcT1TileSrcT2, kF32,
     "per 32 columns: (value, index) pairs, descending, ties by smaller index; indices from the second source (i32)"},
    {Opcode::TMrgSort, "tmrgsort", OpClass::Vector, ModeKind::None, ShapeRule::Same, kTileDstT0TileSrcT1ImmImm, kF32,
     "merges each group of four runs of imm pairs into one; ties by smaller index"},
};
static_assert(std::size(kTable) == kOpcodeCount);
constexpr bool rows_in_opcode_order() {
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    if (static_cast<std::size_t>(kTable[i].opcode) != i) return false;
  }
  return true;
}
static_assert(rows_in_opcode_order());

Pipe mover_pipe(const Instruction& ins, const Program& program) {
  const Space t0 = program.tiles[ins.t0].space;
  switch (ins.opcode) {
    case Opcode::TLoad:
      return Pipe::MTE2;
    case Opcode::TStore:
      return t0 == Space::L0C ? Pipe::FIX : Pipe::MTE3;
    default:  // TMOV and TEXTRACT, by source and destination
      if (program.tiles[ins.t1].space == Space::L0C) return Pipe::FIX;
      return t0 == Space::UB ? Pipe::V : Pipe::MTE1;
  }
}

}  // namespace

std::span<const OpInfo> instruction_table() { return kTable; }

const OpInfo& op_info(Opcode op) {
  NPU_ASSERT(static_cast<std::size_t>(op) < kOpcodeCount, "opcode out of range");
  return kTable[static_cast<std::size_t>(op)];
}

std::optional<Opcode> opcode_from_mnemonic(std::string_view mnemonic) {
  for (const OpInfo& row : kTable) {
    if (row.mnemonic == mnemonic) return row.opcode;
  }
  return std::nullopt;
}

Pipe pipe_of(const Instruction& ins, const Program& program) {
  switch (op_info(ins.opcode).op_class) {
    case OpClass::Scalar:
    case OpClass::Comm:
      return Pipe::S;
    case OpClass::Cube:
      return Pipe::M;
    case OpClass::Vector:
      return Pipe::V;
    case OpClass::Mover:
      return mover_pipe(ins, program);
    case OpClass::Sync:
      if (ins.opcode == Opcode::WaitCross || ins.t0 == kNoDescriptor) return Pipe::S;
      return static_cast<Pipe>(ins.opcode == Opcode::WaitFlag ? ins.t1 : ins.t0);
  }
  NPU_ASSERT(false, "instruction class without a pipe");
  return Pipe::S;
}

}  // namespace npu::isa
