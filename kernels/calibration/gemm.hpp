// C = A x B on the cube cores of a card: the kernel to copy for a matrix product of one's own.
#pragma once

#include "kernels/calibration/gemm_plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// Group g: c[g*m + i, j] = sum over k of a[g*m + i, k] b_g[k, j], accumulated in f32 (i8: i32) and rounded once.
/// Arguments: a [groups*m, k]; b, the groups below each other, each [k, n], or [n, k] with BLayout::DN; c [groups*m,
/// n], zero at the start where k is split. What the plan leaves open is chosen; errors are those of resolved(), and
/// CapacityError for blocks that do not fit.
[[nodiscard]] Kernel gemm(const GemmPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
