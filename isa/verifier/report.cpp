#include "isa/verifier/report.hpp"

#include <fmt/format.h>

#include "isa/text/disassembler.hpp"

namespace npu::isa {

Finding& Report::add(std::string subject, Violation violation) {
  Finding finding;
  finding.violation = std::move(violation);
  finding.program = program_->name;
  finding.core = program_->kind;
  finding.subject = std::move(subject);
  return findings_.emplace_back(std::move(finding));
}

void Report::add_instruction(std::size_t index, Violation violation) {
  add(instruction_text(*program_, index), std::move(violation)).instruction = static_cast<std::uint32_t>(index);
}

void Report::add_tile(std::size_t index, Violation violation) {
  const std::string name = index < program_->tile_names.size() ? program_->tile_names[index] : std::string{};
  add(fmt::format("tile {} `{}`", index, name), std::move(violation)).tile = static_cast<std::uint16_t>(index);
}

void Report::add_gm(std::size_t index, Violation violation) {
  add(fmt::format("gm view {}", index), std::move(violation)).gm = static_cast<std::uint16_t>(index);
}

void Report::add_program(Violation violation) { add("", std::move(violation)); }

}  // namespace npu::isa
