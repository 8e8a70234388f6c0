// What a kernel builder hands to the host: the object, and how to launch it.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/builder/kernel_builder.hpp"
#include "isa/program.hpp"

namespace npu::kernels {

struct Kernel {
  isa::KernelObject object;
  std::uint32_t blocks = 1;                 ///< SPMD blocks of the task
  std::uint64_t workspace_bytes = 0;        ///< GM scratch that the kernel takes as its argument "workspace"; 0: none
  std::vector<isa::Allocation> memory_map;  ///< on-chip bytes by space, for `fit`
  bool sync_start = false;                  ///< the blocks wait for each other, so all must have a core
};

/// Ends the builder and packs its result.
[[nodiscard]] inline Kernel pack(isa::KernelBuilder& builder, std::uint32_t blocks, std::uint64_t workspace_bytes = 0) {
  return {builder.finish(), blocks, workspace_bytes, builder.memory_map()};
}

}  // namespace npu::kernels
