// Static legality of programs: everything that can be refused without running (isa.md sections 1 and 5). What depends
// on register values is checked by the model at issue, with the same rules (shape_rules.hpp, tile_rules.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

struct Finding {
  Violation violation;
  std::string program;            ///< its name
  CoreKind core = CoreKind::AIC;  ///< cores that the program is for
  std::string subject;            ///< the instruction with its index and text, the descriptor, or the program
  std::optional<std::uint32_t> instruction;
  std::optional<std::uint16_t> tile, gm;  ///< descriptor that the finding is about
};

/// "program `p` (aiv), instruction 3 `tadd a, b, c`: what; limit: ...; way out: ..."
[[nodiscard]] std::string to_string(const Finding& finding);

/// What must hold for a program to be readable at all: canonical instruction words, descriptor indices, branch targets
/// and register numbers in range, table sizes consistent. Encoder, decoder and text form require an empty result.
[[nodiscard]] std::vector<Finding> check_structure(const Program& program);
/// Why an argument cannot be: its shape does not go with its kind. Required like the structure of the programs.
[[nodiscard]] std::optional<std::string> argument_error(const ArgInfo& argument);
/// Throws ProgramError with the first structural finding of either part, or if the parts have the wrong core kind.
void require_structure(const KernelObject& object);

/// All findings of one part, in order: descriptors, instructions, control flow, flags. Only the structural ones if any.
[[nodiscard]] std::vector<Finding> verify(const Program& program, const ArchSpec& arch);
/// Both parts and what concerns them together: arguments, cross-core flags.
[[nodiscard]] std::vector<Finding> verify(const KernelObject& object, const ArchSpec& arch);
/// Throws ProgramError listing the findings, the first ones in full.
void require_legal(const KernelObject& object, const ArchSpec& arch);

}  // namespace npu::isa
