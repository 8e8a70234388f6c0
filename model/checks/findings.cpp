#include "model/checks/findings.hpp"

#include <fmt/format.h>

#include "isa/text/disassembler.hpp"

namespace npu::model {

FindingPlace place_of(const CoreLocation& core, const isa::Program& program, std::uint32_t instruction,
                      std::uint64_t cycle) {
  return {.core = track_name(core),
          .instruction = fmt::format("kernel {}, {}", program.name, isa::instruction_text(program, instruction)),
          .cycle = cycle};
}

}  // namespace npu::model
