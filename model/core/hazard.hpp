// A result that is read before it is there.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/core_pipe.hpp"

namespace npu::model {

/// A vector result is visible only some cycles after the pipe is free again; reading it earlier needs a barrier. Throws
/// ProgramError where `op`, which starts on the pipe at `start`, reads what the operation before it has not written.
void require_written(const isa::Operation& op, const CorePipe& pipe, std::uint64_t start, const CoreContext& core);

}  // namespace npu::model
