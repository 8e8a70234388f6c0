// What a kernel builder hands to the host: the object, and what its tiles take.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "isa/builder/kernel_builder.hpp"
#include "isa/program.hpp"
#include "kernels/common/plan.hpp"

namespace npu::kernels {

struct Kernel {
  isa::KernelObject object;
  std::vector<isa::Allocation> memory_map;  ///< on-chip bytes by space, for `fit`
  std::vector<PlanValue> plan = {};         ///< the numbers that it was built with, as far as they can be chosen
};

/// Ends the builder and packs its result: tasks of so many blocks, with so many bytes of workspace.
[[nodiscard]] inline Kernel pack(isa::KernelBuilder& builder, std::uint32_t blocks, std::uint64_t workspace_bytes = 0) {
  isa::KernelObject object = builder.finish(blocks, workspace_bytes);
  return {.object = std::move(object), .memory_map = builder.memory_map()};
}

}  // namespace npu::kernels
