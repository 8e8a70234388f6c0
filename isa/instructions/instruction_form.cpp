#include "isa/instructions/instruction_form.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

constexpr std::array<std::string_view, 1> kNoModes{""};
constexpr std::array<std::string_view, 2> kAtomicNames{"", "add"};
constexpr std::array<std::string_view, 2> kTransposeNames{"", "trans"};
constexpr std::array<std::string_view, 2> kNotifyNames{"set", "add"};
constexpr std::array<std::string_view, 2> kExtentNames{"range", "all"};
constexpr std::array<std::string_view, 6> kPatternNames{"even", "odd", "lane0", "lane1", "lane2", "lane3"};

std::span<const std::string_view> mode_names(ModeKind kind) {
  switch (kind) {
    case ModeKind::None:
      return kNoModes;
    case ModeKind::Round:
      return kRoundModeNames;
    case ModeKind::Compare:
      return kCompareModeNames;
    case ModeKind::DType:
      return kDTypeNames;
    case ModeKind::Special:
      return kSpecialRegNames;
    case ModeKind::Atomic:
      return kAtomicNames;
    case ModeKind::Transpose:
      return kTransposeNames;
    case ModeKind::NotifyOp:
      return kNotifyNames;
    case ModeKind::Extent:
      return kExtentNames;
    case ModeKind::Pattern:
      return kPatternNames;
  }
  NPU_ASSERT(false, "mode kind without names");
  return kNoModes;
}

/// Fields that the operands of a row read, as a set.
struct FieldSet {
  std::array<bool, 9> has{};
  void add(Field f) { has[index_of(f)] = true; }
  [[nodiscard]] bool contains(Field f) const { return has[index_of(f)]; }
};

FieldSet fields_of(const OpInfo& info) {
  FieldSet set;
  for (const OperandSpec& operand : info.operands) {
    set.add(operand.field);
    if (operand.kind == OperandKind::Scalar) set.add(Field::Imm);
    if (operand.kind == OperandKind::FlagId) set.add(Field::R0);
  }
  return set;
}

std::optional<std::string> operand_error(const Instruction& ins, const OperandSpec& operand) {
  if (operand.kind == OperandKind::PipeName) {
    const std::uint16_t pipe = descriptor_field(ins, operand.field);
    const bool all = pipe == kNoDescriptor && ins.opcode == Opcode::PipeBarrier;
    if (pipe >= kPipeCount && !all) return fmt::format("pipe number {} is above {}", pipe, kPipeCount - 1);
  }
  if (operand.kind == OperandKind::Scalar && ins.r0 != 0 && ins.imm != 0) {
    return fmt::format("scalar operand has both register r{} and immediate {}", ins.r0, ins.imm);
  }
  return std::nullopt;
}

}  // namespace

std::uint8_t register_field(const Instruction& ins, Field field) {
  switch (field) {
    case Field::R0:
      return ins.r0;
    case Field::R1:
      return ins.r1;
    case Field::R2:
      return ins.r2;
    case Field::R3:
      return ins.r3;
    case Field::None:
    case Field::T0:
    case Field::T1:
    case Field::T2:
    case Field::Imm:
      break;
  }
  NPU_ASSERT(false, "not a register field");
  return 0;
}

std::uint16_t descriptor_field(const Instruction& ins, Field field) {
  switch (field) {
    case Field::T0:
      return ins.t0;
    case Field::T1:
      return ins.t1;
    case Field::T2:
      return ins.t2;
    case Field::None:
    case Field::R0:
    case Field::R1:
    case Field::R2:
    case Field::R3:
    case Field::Imm:
      break;
  }
  NPU_ASSERT(false, "not a descriptor field");
  return kNoDescriptor;
}

void set_register_field(Instruction& ins, Field field, std::uint8_t value) {
  NPU_ASSERT(field >= Field::R0 && field <= Field::R3, "not a register field");
  const std::array<std::uint8_t*, 4> fields{&ins.r0, &ins.r1, &ins.r2, &ins.r3};
  *fields[index_of(field) - index_of(Field::R0)] = value;
}

void set_descriptor_field(Instruction& ins, Field field, std::uint16_t value) {
  NPU_ASSERT(field >= Field::T0 && field <= Field::T2, "not a descriptor field");
  const std::array<std::uint16_t*, 3> fields{&ins.t0, &ins.t1, &ins.t2};
  *fields[index_of(field) - index_of(Field::T0)] = value;
}

std::size_t mode_count(ModeKind kind) { return mode_names(kind).size(); }

std::string_view mode_name(ModeKind kind, std::uint8_t mode) {
  NPU_ASSERT(mode < mode_count(kind), "mode out of range");
  return mode_names(kind)[mode];
}

std::optional<std::uint8_t> mode_from_name(ModeKind kind, std::string_view name) {
  const auto names = mode_names(kind);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<std::uint8_t>(i);
  }
  return std::nullopt;
}

std::optional<std::string> form_error(const Instruction& ins) {
  if (index_of(ins.opcode) >= kOpcodeCount) return fmt::format("unknown opcode {}", index_of(ins.opcode));
  const OpInfo& info = op_info(ins.opcode);
  if (ins.mode >= mode_count(info.mode)) {
    return fmt::format("mode {} of {} is above {}", ins.mode, info.mnemonic, mode_count(info.mode) - 1);
  }
  const FieldSet used = fields_of(info);
  for (const Field f : {Field::R0, Field::R1, Field::R2, Field::R3}) {
    const std::uint8_t value = register_field(ins, f);
    if (value >= kRegisterCount) {
      return fmt::format("register number {} is above {}", value, kRegisterCount - 1);
    }
    if (value != 0 && !used.contains(f)) {
      return fmt::format("register field {} is set, {} does not have it", index_of(f) - index_of(Field::R0),
                         info.mnemonic);
    }
  }
  for (const Field f : {Field::T0, Field::T1, Field::T2}) {
    if (descriptor_field(ins, f) != kNoDescriptor && !used.contains(f)) {
      return fmt::format("descriptor field {} is set, {} does not have it", index_of(f) - index_of(Field::T0),
                         info.mnemonic);
    }
  }
  if (ins.imm != 0 && !used.contains(Field::Imm)) {
    return fmt::format("immediate is set, {} does not have one", info.mnemonic);
  }
  for (const OperandSpec& operand : info.operands) {
    if (auto error = operand_error(ins, operand)) return error;
  }
  return std::nullopt;
}

}  // namespace npu::isa
