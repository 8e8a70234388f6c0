#include <fmt/format.h>

#include <array>
#include <span>
#include <string>

#include "isa/instructions/instruction_form.hpp"
#include "isa/verifier/operand_rules.hpp"

namespace npu::isa {
namespace {

using enum DType;

struct CastRow {
  DType from;
  std::span<const DType> to;
};
// isa.md section 6.
constexpr DType kFromF32[] = {F16, BF16, F32, I16, I32, I64};
constexpr DType kFromF16[] = {F32, I32, I16, I8, U8};
constexpr DType kFromBf16[] = {F32, I32};
constexpr DType kFromI32[] = {F32, I16, I64, F16};
constexpr DType kFromI16[] = {F16, F32};
constexpr DType kFromByte[] = {F16};
constexpr CastRow kCasts[] = {{F32, kFromF32}, {F16, kFromF16}, {BF16, kFromBf16}, {I32, kFromI32},
                              {I16, kFromI16}, {I8, kFromByte}, {U8, kFromByte},   {I64, {}}};
constexpr DType kAtomicTypes[] = {I8, I16, I32, F16, BF16, F32};
constexpr DType kNarrowings[] = {F16, BF16, F32};  // of an f32 accumulator

bool contains(std::span<const DType> set, DType t) {
  for (const DType x : set) {
    if (x == t) return true;
  }
  return false;
}

std::string list(std::span<const DType> set) {
  std::string text;
  for (const DType t : set) text += fmt::format("{}{}", text.empty() ? "" : ", ", name_of(t));
  return text.empty() ? "none" : text;
}

std::optional<Violation> expect(std::string_view operand, DType found, DType wanted) {
  if (found == wanted) return std::nullopt;
  return Violation{Stage::Type, fmt::format("{} is {}", operand, name_of(found)), std::string{name_of(wanted)},
                   "cast with tcvt, or declare the tile so"};
}

std::optional<Violation> check_cast(DType from, DType to) {
  for (const CastRow& row : kCasts) {
    if (row.from != from) continue;
    if (contains(row.to, to)) return std::nullopt;
    return Violation{Stage::Type, fmt::format("no cast from {} to {}", name_of(from), name_of(to)),
                     fmt::format("{} to {}", name_of(from), list(row.to)), "cast through a type that both sides reach"};
  }
  return std::nullopt;
}

std::optional<Violation> check_accumulator_move(DType acc, DType to) {
  const bool ok = acc == I32 ? to == I32 : contains(kNarrowings, to);
  if (ok) return std::nullopt;
  return Violation{Stage::Type, fmt::format("accumulator {} to {}", name_of(acc), name_of(to)),
                   acc == I32 ? "i32" : list(kNarrowings), "cast on a vector core"};
}

std::optional<Violation> check_move_types(const Instruction& ins, const Program& program) {
  const TileDesc& t0 = program.tiles[ins.t0];
  if (ins.opcode == Opcode::TStore) {
    const DType to = program.gms[ins.t1].dtype;
    if (ins.mode != 0 && !contains(kAtomicTypes, to)) {
      return Violation{Stage::Type, fmt::format("atomic add of {}", name_of(to)), list(kAtomicTypes),
                       "cast before storing"};
    }
    return t0.space == Space::L0C ? check_accumulator_move(t0.dtype, to) : expect("view", to, t0.dtype);
  }
  if (ins.opcode == Opcode::TLoad) return expect("view", program.gms[ins.t1].dtype, t0.dtype);
  const TileDesc& src = program.tiles[ins.t1];
  return src.space == Space::L0C ? check_accumulator_move(src.dtype, t0.dtype)
                                 : expect("destination", t0.dtype, src.dtype);
}

std::optional<Violation> check_matmul_types(const Instruction& ins, const Program& program) {
  const DType left = program.tiles[ins.t1].dtype;
  const DType acc = left == I8 ? I32 : F32;
  if (auto v = expect("right operand", program.tiles[ins.t2].dtype, left)) return v;
  if (auto v = expect("accumulator", program.tiles[ins.t0].dtype, acc)) return v;
  if (ins.opcode != Opcode::TMatmulBias) return std::nullopt;
  return expect("bias", program.tiles[static_cast<std::size_t>(ins.imm)].dtype, acc);
}

/// Vector operations: one type, but for the index tiles and casts.
std::optional<Violation> check_vector_types(const OpInfo& info, const Instruction& ins, const Program& program) {
  if (ins.t1 == kNoDescriptor) return std::nullopt;  // one tile
  const DType dst = program.tiles[ins.t0].dtype, src = program.tiles[ins.t1].dtype;
  if (ins.opcode == Opcode::TCvt) return check_cast(src, dst);
  if (auto v = expect("destination", dst, src)) return v;
  if (ins.t2 == kNoDescriptor) return std::nullopt;
  const bool second_is_index = info.shape == ShapeRule::Gather || info.shape == ShapeRule::Sort;
  return expect(second_is_index ? "index tile" : "second source", program.tiles[ins.t2].dtype,
                second_is_index ? I32 : src);
}

/// The tile whose dtype the table row lists: the moved tile, else the first source, else the only tile.
DType leading_dtype(const OpInfo& info, const Instruction& ins, const Program& program) {
  const bool gm_move = ins.opcode == Opcode::TLoad || ins.opcode == Opcode::TStore;
  const bool only = gm_move || info.op_class == OpClass::Scalar || ins.t1 == kNoDescriptor;
  return program.tiles[only ? ins.t0 : ins.t1].dtype;
}

}  // namespace

std::optional<Violation> check_types(const Instruction& ins, const Program& program) {
  const OpInfo& info = op_info(ins.opcode);
  if (info.dtypes.empty()) return std::nullopt;
  const DType leading = leading_dtype(info, ins, program);
  if (!contains(info.dtypes, leading)) {
    return Violation{Stage::Type, fmt::format("{} of {}", info.mnemonic, name_of(leading)), list(info.dtypes),
                     "cast with tcvt first"};
  }
  if (info.op_class == OpClass::Mover) return check_move_types(ins, program);
  if (info.op_class == OpClass::Cube) return check_matmul_types(ins, program);
  if (info.op_class == OpClass::Vector) return check_vector_types(info, ins, program);
  return std::nullopt;
}

}  // namespace npu::isa
