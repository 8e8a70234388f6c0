// The form of one instruction word: access to its fields by name, the names of its modes, and which words are
// canonical. Encoding, text form and verifier share it, so that they cannot disagree on what an instruction may look
// like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "isa/instructions/instruction_table.hpp"
#include "isa/program.hpp"

namespace npu::isa {

/// Value of a register field (R0 to R3) or a descriptor field (T0 to T2).
[[nodiscard]] std::uint8_t register_field(const Instruction& ins, Field field);
[[nodiscard]] std::uint16_t descriptor_field(const Instruction& ins, Field field);
void set_register_field(Instruction& ins, Field field, std::uint8_t value);
void set_descriptor_field(Instruction& ins, Field field, std::uint16_t value);

[[nodiscard]] constexpr bool is_register(OperandKind k) { return k == OperandKind::RegDst || k == OperandKind::RegSrc; }
[[nodiscard]] constexpr bool is_tile(OperandKind k) {
  return k == OperandKind::TileDst || k == OperandKind::TileSrc || k == OperandKind::TileInOut;
}
[[nodiscard]] constexpr bool is_gm(OperandKind k) { return k == OperandKind::GmSrc || k == OperandKind::GmDst; }
/// The one immediate that names a tile descriptor.
[[nodiscard]] constexpr bool is_bias_operand(Opcode op, OperandKind k) {
  return op == Opcode::TMatmulBias && k == OperandKind::Imm;
}

/// Number of values of `mode`; 1 for ModeKind::None.
[[nodiscard]] std::size_t mode_count(ModeKind kind);
/// The dotted attribute without its dot; empty where the plain mnemonic means this mode. Requires mode < mode_count.
[[nodiscard]] std::string_view mode_name(ModeKind kind, std::uint8_t mode);
[[nodiscard]] std::optional<std::uint8_t> mode_from_name(ModeKind kind, std::string_view name);

/// Why the word is not canonical: unknown opcode or mode, register or pipe number out of range, a value in a field that
/// the instruction does not have. Every canonical word has exactly one text form and one encoding.
[[nodiscard]] std::optional<std::string> form_error(const Instruction& ins);

}  // namespace npu::isa
