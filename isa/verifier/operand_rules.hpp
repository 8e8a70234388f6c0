// Rules of single instructions beyond shapes: who may execute them, from where to where, in which types and layouts.
#pragma once

#include <optional>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

/// Core kind, spaces of the operands, data paths.
[[nodiscard]] std::optional<Violation> check_spaces(const Instruction& ins, const Program& program,
                                                    const ArchSpec& arch);
/// Layouts that the operation needs of its tiles and views.
[[nodiscard]] std::optional<Violation> check_layouts(const Instruction& ins, const Program& program);
/// dtypes of the table row, result types, cast pairs (isa.md section 6).
[[nodiscard]] std::optional<Violation> check_types(const Instruction& ins, const Program& program);
/// Registers, pipes, flag ids, aliases that are never legal.
[[nodiscard]] std::optional<Violation> check_fields(const Instruction& ins, const Program& program,
                                                    const ArchSpec& arch);

}  // namespace npu::isa
