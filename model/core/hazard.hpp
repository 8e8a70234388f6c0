// A result that is read before it is there.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/core_pipe.hpp"

namespace npu::model {

/// A vector result is visible to the next vector instruction only behind a barrier, which waits for it. Throws
/// ProgramError where `op`, which starts on the pipe at `start`, reads what the operation before it has not written.
void require_written(const isa::Operation& op, const CorePipe& pipe, std::uint64_t start, const CoreContext& core);

}  // namespace npu::model
