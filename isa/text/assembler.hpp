// .npu text to kernel objects (isa/README.md, "Text form").
#pragma once

#include <string_view>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"

namespace npu::isa {

/// Reads a structurally sound object; source_file and source_lines are the file and lines of the text. Throws
/// ProgramError with up to 20 diagnostics "file:line:column: stage: message".
[[nodiscard]] KernelObject assemble(std::string_view text, std::string_view file_name);

/// The same, and refuses what the verifier refuses on `target`, at the line of the instruction or directive.
[[nodiscard]] KernelObject assemble(std::string_view text, std::string_view file_name, const ArchSpec& target);

}  // namespace npu::isa
