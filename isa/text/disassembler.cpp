#include "isa/text/disassembler.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <set>
#include <string_view>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/text/names.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {
namespace {

std::string register_name(std::uint8_t r) { return fmt::format("r{}", r); }

std::string flag_id(const Instruction& ins) {
  if (ins.r0 == 0) return fmt::format("{}", ins.imm);
  return ins.imm == 0 ? register_name(ins.r0) : fmt::format("{}{:+d}", register_name(ins.r0), ins.imm);
}

std::string pipe_name(std::uint16_t pipe) {
  if (pipe == kNoDescriptor) return "all";
  return pipe < kPipeCount ? std::string{name_of(static_cast<Pipe>(pipe))} : fmt::format("pipe#{}", pipe);
}

void write_register_key(std::string& out, std::string_view key, std::uint8_t r) {
  if (r != 0) out += fmt::format(" {}={}", key, register_name(r));
}

std::string tile_directive(const TileDesc& t, const std::string& identifier, const std::string& name) {
  std::string out = fmt::format(".tile {} {} {} {} {}x{} offset={} pitch={}", identifier, name_of(t.space),
                                name_of(t.dtype), name_of(t.layout), t.rows, t.cols, t.offset, t.pitch);
  if (t.valid_rows != t.rows || t.valid_cols != t.cols) out += fmt::format(" valid={}x{}", t.valid_rows, t.valid_cols);
  write_register_key(out, "offset_reg", t.offset_reg);
  write_register_key(out, "rows_reg", t.valid_rows_reg);
  write_register_key(out, "cols_reg", t.valid_cols_reg);
  if (t.pad != Pad::None) out += fmt::format(" pad={}", name_of(t.pad));
  if (identifier != name) out += fmt::format(" name={}", quoted(name));
  return out + "\n";
}

std::string gm_directive(const GmDesc& g, std::size_t index) {
  std::string out = fmt::format(".gm gm{} {} {}", index, name_of(g.dtype), name_of(g.layout));
  write_register_key(out, "base", g.base_reg);
  if (g.offset != 0) out += fmt::format(" offset={}", g.offset);
  if (g.pitch != 0) out += fmt::format(" pitch={}", g.pitch);
  write_register_key(out, "pitch_reg", g.pitch_reg);
  return out + "\n";
}

std::string part_text(const Program& program, const std::string& kernel_name) {
  std::string out = program.kind == CoreKind::AIC ? "\n.cube" : "\n.vector";
  if (program.name != kernel_name) out += " " + written_name(program.name);
  out += "\n";
  const Disassembler disassembler{program};
  for (std::size_t i = 0; i < program.tiles.size(); ++i) {
    out += tile_directive(program.tiles[i], disassembler.tile_name(i), program.tile_names[i]);
  }
  for (std::size_t i = 0; i < program.gms.size(); ++i) out += gm_directive(program.gms[i], i);
  std::set<std::int32_t> targets;
  for (const Instruction& ins : program.code) {
    if (ins.opcode == Opcode::Br || ins.opcode == Opcode::BrCmp) targets.insert(ins.imm);
  }
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    if (targets.contains(static_cast<std::int32_t>(i))) out += fmt::format("L{}:\n", i);
    out += "  " + disassembler.line(program.code[i]) + "\n";
  }
  return out;
}

}  // namespace

Disassembler::Disassembler(const Program& program)
    : program_{&program}, tile_names_{unique_identifiers(program.tile_names)} {}

std::string Disassembler::tile_name(std::size_t index) const {
  return index < tile_names_.size() ? tile_names_[index] : fmt::format("tile#{}", index);
}

std::string Disassembler::scalar(const Instruction& ins) const {
  if (ins.r0 != 0) return register_name(ins.r0);
  const bool known = ins.t0 < program_->tiles.size();
  if (!known || !is_float(program_->tiles[ins.t0].dtype)) return fmt::format("{}", ins.imm);
  const float value = std::bit_cast<float>(ins.imm);
  return std::isfinite(value) ? fmt::format("{}", value) : fmt::format("{:#010x}", static_cast<std::uint32_t>(ins.imm));
}

std::string Disassembler::operand(const Instruction& ins, const OperandSpec& spec) const {
  switch (spec.kind) {
    case OperandKind::RegDst:
    case OperandKind::RegSrc:
      return register_name(register_field(ins, spec.field));
    case OperandKind::Imm:
      return is_bias_operand(ins.opcode, spec.kind) ? tile_name(static_cast<std::uint32_t>(ins.imm))
                                                    : fmt::format("{}", ins.imm);
    case OperandKind::Label:
      return fmt::format("L{}", ins.imm);
    case OperandKind::Scalar:
      return scalar(ins);
    case OperandKind::FlagId:
      return flag_id(ins);
    case OperandKind::PipeName:
      return pipe_name(descriptor_field(ins, spec.field));
    case OperandKind::TileDst:
    case OperandKind::TileSrc:
    case OperandKind::TileInOut:
      return tile_name(descriptor_field(ins, spec.field));
    case OperandKind::GmSrc:
    case OperandKind::GmDst: {
      const std::uint16_t index = descriptor_field(ins, spec.field);
      return fmt::format("gm{}{}", index < program_->gms.size() ? "" : "#", index);
    }
  }
  NPU_ASSERT(false, "operand kind without text");
  return {};
}

std::string Disassembler::line(const Instruction& ins) const {
  if (index_of(ins.opcode) >= kOpcodeCount) return fmt::format("opcode#{}", index_of(ins.opcode));
  const OpInfo& info = op_info(ins.opcode);
  std::string out{info.mnemonic};
  if (ins.mode >= mode_count(info.mode)) {
    out += fmt::format(".mode#{}", ins.mode);
  } else if (const std::string_view mode = mode_name(info.mode, ins.mode); !mode.empty()) {
    out += fmt::format(".{}", mode);
  }
  const char* separator = " ";
  for (const OperandSpec& spec : info.operands) {
    out += separator + operand(ins, spec);
    separator = ", ";
  }
  return out;
}

std::string disassemble(const Instruction& ins, const Program& program) { return Disassembler{program}.line(ins); }

std::string instruction_text(const Program& program, std::size_t index) {
  std::string source;
  if (program.source_lines.size() == program.code.size()) {
    source = program.source_file.empty() ? fmt::format(" (line {})", program.source_lines[index])
                                         : fmt::format(" ({}:{})", program.source_file, program.source_lines[index]);
  }
  return fmt::format("instruction {}{} `{}`", index, source, disassemble(program.code[index], program));
}

std::string to_text(const KernelObject& object) {
  require_structure(object);
  std::string out = fmt::format(".kernel {}", written_name(object.name));
  if (object.blocks != 1) out += fmt::format(" blocks={}", object.blocks);
  if (object.sync_start) out += " start=together";
  out += "\n";
  for (const ArgInfo& arg : object.args) {
    out += fmt::format(".arg {} {} {}", written_name(arg.name), kArgKindNames[index_of(arg.kind)], name_of(arg.dtype));
    if (arg.rows != 0) out += fmt::format(" rows={}", arg.rows);
    if (arg.cols != 0) out += fmt::format(" cols={}", arg.cols);
    out += "\n";
  }
  if (object.cube) out += part_text(*object.cube, object.name);
  if (object.vector) out += part_text(*object.vector, object.name);
  return out;
}

}  // namespace npu::isa
