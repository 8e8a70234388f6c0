#include "model/core/core_context.hpp"

#include <fmt/format.h>

#include "isa/text/disassembler.hpp"

namespace npu::model {

std::string CoreContext::place(std::uint32_t instruction) const {
  return fmt::format("kernel {} on {}, block {}, {}", block.program->name, track_name(where), block.block,
                     isa::instruction_text(*block.program, instruction));
}

void CoreContext::fail(std::uint32_t instruction, const std::string& message) const {
  throw program_error("{}: {}", place(instruction), message);
}

}  // namespace npu::model
