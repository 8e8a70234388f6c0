#include <fmt/format.h>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/verifier.hpp"
#include "isa/verifier/report.hpp"

namespace npu::isa {
namespace {

Violation structural(std::string what, std::string limit) {
  return {Stage::Parse, std::move(what), std::move(limit), "emit the program with the builder or the assembler"};
}

std::optional<Violation> operand_violation(const Instruction& ins, const OperandSpec& operand, const Program& program) {
  if (is_tile(operand.kind) && descriptor_field(ins, operand.field) >= program.tiles.size()) {
    return structural(fmt::format("tile descriptor {}", descriptor_field(ins, operand.field)),
                      fmt::format("the program has {} tiles", program.tiles.size()));
  }
  if (is_gm(operand.kind) && descriptor_field(ins, operand.field) >= program.gms.size()) {
    return structural(fmt::format("gm descriptor {}", descriptor_field(ins, operand.field)),
                      fmt::format("the program has {} gm views", program.gms.size()));
  }
  const auto index = static_cast<std::uint64_t>(static_cast<std::int64_t>(ins.imm));  // negative: far out of range
  if (is_bias_operand(ins.opcode, operand.kind) && index >= program.tiles.size()) {
    return structural(fmt::format("bias tile descriptor {}", ins.imm),
                      fmt::format("the program has {} tiles", program.tiles.size()));
  }
  if (operand.kind == OperandKind::Label && index >= program.code.size()) {
    return structural(fmt::format("branch to instruction {}", ins.imm),
                      fmt::format("the program has {} instructions", program.code.size()));
  }
  return std::nullopt;
}

bool is_register_number(std::uint8_t r) { return r < kRegisterCount; }

std::optional<Violation> tile_violation(const TileDesc& t) {
  if (index_of(t.space) >= kSpaceCount || index_of(t.dtype) >= kDTypeNames.size() ||
      index_of(t.layout) >= kLayoutNames.size() || index_of(t.pad) >= kPadNames.size()) {
    return structural(fmt::format("space {}, dtype {}, layout {} or pad {} is unknown", index_of(t.space),
                                  index_of(t.dtype), index_of(t.layout), index_of(t.pad)),
                      "the values of types.hpp");
  }
  if (!is_register_number(t.offset_reg) || !is_register_number(t.valid_rows_reg) ||
      !is_register_number(t.valid_cols_reg)) {
    return structural("register number out of range", fmt::format("0 to {}", kRegisterCount - 1));
  }
  return std::nullopt;
}

std::optional<Violation> gm_violation(const GmDesc& g) {
  if (index_of(g.dtype) >= kDTypeNames.size() || index_of(g.layout) >= kLayoutNames.size()) {
    return structural(fmt::format("dtype {} or layout {} is unknown", index_of(g.dtype), index_of(g.layout)),
                      "the values of types.hpp");
  }
  if (!is_register_number(g.base_reg) || !is_register_number(g.pitch_reg)) {
    return structural("register number out of range", fmt::format("0 to {}", kRegisterCount - 1));
  }
  return std::nullopt;
}

void check_tables(const Program& program, Report& report) {
  if (program.tiles.size() >= kNoDescriptor || program.gms.size() >= kNoDescriptor) {
    report.add_program(structural(fmt::format("{} tiles and {} gm views", program.tiles.size(), program.gms.size()),
                                  fmt::format("at most {} each", kNoDescriptor - 1)));
  }
  if (program.tile_names.size() != program.tiles.size()) {
    report.add_program(structural(fmt::format("{} tile names", program.tile_names.size()),
                                  fmt::format("one for each of {} tiles", program.tiles.size())));
  }
  if (!program.source_lines.empty() && program.source_lines.size() != program.code.size()) {
    report.add_program(structural(fmt::format("{} source lines", program.source_lines.size()),
                                  fmt::format("none, or one for each of {} instructions", program.code.size())));
  }
}

}  // namespace

std::vector<Finding> check_structure(const Program& program) {
  Report report{program};
  check_tables(program, report);
  for (std::size_t i = 0; i < program.tiles.size(); ++i) {
    if (auto v = tile_violation(program.tiles[i])) report.add_tile(i, std::move(*v));
  }
  for (std::size_t i = 0; i < program.gms.size(); ++i) {
    if (auto v = gm_violation(program.gms[i])) report.add_gm(i, std::move(*v));
  }
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& ins = program.code[i];
    if (auto error = form_error(ins)) {
      report.add_instruction(i, structural(std::move(*error), "canonical instruction words"));
      continue;
    }
    for (const OperandSpec& operand : op_info(ins.opcode).operands) {
      if (auto v = operand_violation(ins, operand, program)) report.add_instruction(i, std::move(*v));
    }
  }
  return report.take();
}

std::optional<std::string> argument_error(const ArgInfo& argument) {
  const auto why = [&](std::string_view reason) {
    return fmt::format("argument {} of {}x{}: {}", argument.name, argument.rows, argument.cols, reason);
  };
  if (argument.kind == ArgKind::Scalar && (argument.rows != 0 || argument.cols != 0))
    return why("a scalar has no shape");
  if (argument.rows != 0 && argument.cols == 0) return why("states rows without columns");
  if (argument.kind == ArgKind::Workspace && argument.rows == 0) return why("a workspace states its rows and columns");
  return std::nullopt;
}

void require_structure(const KernelObject& object) {
  if (object.blocks == 0) throw program_error("kernel {}: a task has at least 1 block", object.name);
  if (!object.cube && !object.vector)
    throw program_error("kernel {}: has neither a cube nor a vector part", object.name);
  for (const auto* part : {&object.cube, &object.vector}) {
    if (!*part) continue;
    const CoreKind wanted = part == &object.cube ? CoreKind::AIC : CoreKind::AIV;
    if ((*part)->kind != wanted) {
      throw program_error("kernel {}: program {} is for {} cores, its part runs on {}", object.name, (*part)->name,
                          name_of((*part)->kind), name_of(wanted));
    }
    if (const auto findings = check_structure(**part); !findings.empty()) {
      throw ProgramError{to_string(findings.front())};
    }
  }
  for (const ArgInfo& arg : object.args) {
    if (index_of(arg.kind) > index_of(ArgKind::Workspace) || index_of(arg.dtype) >= kDTypeNames.size()) {
      throw program_error("kernel {}: argument {} has an unknown kind or dtype", object.name, arg.name);
    }
    if (const auto error = argument_error(arg)) throw program_error("kernel {}: {}", object.name, *error);
  }
}

}  // namespace npu::isa
