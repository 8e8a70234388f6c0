// An int8 matrix product whose vector cores scale what the cube cores accumulate: per row and per column.
#pragma once

#include <cstdint>

#include "kernels/calibration/gemm_plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct QuantGemmPlan {
  GemmPlan gemm;                ///< i8; its result, f32 or bf16, is that of the vector cores
  std::uint32_t aiv = 2;        ///< vector cores of a cluster that scale
  std::uint32_t workspace = 2;  ///< blocks in flight from the cube core to them, in memory
  std::uint32_t rows = 32;      ///< that a vector core scales at a time
};

/// Group g: y[g*m + i, j] = ((f32) sum over k of x[g*m + i, k] w_g[k, j]) * x_scale[g*m + i] * w_scale[g, j].
/// Arguments: x [groups*m, k] i8, x_scale [groups*m] f32, w as gemm's b, w_scale [groups, n] f32, y [groups*m, n],
/// workspace. Errors are those of gemm; k is not split.
[[nodiscard]] Kernel quant_gemm(const QuantGemmPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
