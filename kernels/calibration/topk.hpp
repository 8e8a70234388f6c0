// The k largest of each row, with their places: sort in runs of 32, merge four runs at a time.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct TopkPlan {
  std::uint32_t rows = 96, cols = 160;  ///< of the matrix in memory
  std::uint32_t valid = 128;            ///< columns that count, the first ones
  std::uint32_t k = 100;
  isa::DType dtype = isa::DType::F32;
  std::uint32_t cores = 0;  ///< 0: all vector cores
};

/// Arguments: x [rows, cols], index [1, valid] i32, the place that stands for each column; value [rows, k] in
/// descending order, place [rows, k] i32; equal values by ascending place. A core takes rows / cores rows, two at a
/// time. Throws ConfigError for a plan that contradicts itself, CapacityError for rows that do not fit.
[[nodiscard]] Kernel topk(const TopkPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
