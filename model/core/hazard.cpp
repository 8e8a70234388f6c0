#include "model/core/hazard.hpp"

#include <fmt/format.h>

#include "isa/instructions/instruction_table.hpp"

namespace npu::model {

void require_written(const isa::Operation& op, const CorePipe& pipe, std::uint64_t start, const CoreContext& core) {
  if (pipe.last_visible() <= start) return;
  const isa::Operation& last = pipe.last();
  for (const isa::Access& written : last.touched()) {
    if (!isa::writes(written.kind)) continue;
    for (const isa::Access& read : op.touched()) {
      if (!isa::reads(read.kind) || !isa::overlap(read, written)) continue;
      core.fail(op.index, fmt::format("reads what instruction {} ({}) has not written yet; put a pipe_barrier v "
                                      "between them",
                                      last.index, isa::op_info(last.opcode).mnemonic));
    }
  }
}

}  // namespace npu::model
