// z = x + y over long vectors: the streaming pattern of a vector core, load, compute, store.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct VectorAddPlan {
  /// Where the two sources start in UB: in one bank group, whose reads take turns, or half a turn of the groups apart.
  enum class Banks : std::uint8_t { Conflict, Free };

  std::uint32_t rows = 64, cols = 2048;
  isa::DType dtype = isa::DType::F16;
  std::uint32_t chunk = 4096;  ///< elements of one step
  std::uint32_t cores = 0;     ///< 0: all vector cores
  std::uint32_t buffers = 2;   ///< slots of the sources and of the result
  L2Use in_l2 = L2Use::Keep, out_l2 = L2Use::Keep;
  Banks banks = Banks::Free;
};

/// Arguments: x, y [rows, cols], z [rows, cols] = x + y rounded once. A core takes rows / cores whole rows, the first
/// ones one more where that leaves a rest, as one vector. Throws ConfigError for a plan that the instruction set cannot
/// say, CapacityError for chunks that do not fit.
[[nodiscard]] Kernel vector_add(const VectorAddPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
