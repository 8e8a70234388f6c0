// Float projection on the cube alone: y = x @ w with fp32 accumulation along k in order (isa.md section 7).
#pragma once

#include <string>

#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// Arguments: x [m, k], w [k, n] or [n, k] by shape.order, both of shape.dtype (bf16, f16 or f32), y [m, n] f32.
/// One block per group of column tiles.
[[nodiscard]] Kernel float_matmul(const MatmulPlan& plan, const std::string& name, const isa::ArchSpec& arch);
/// With as large a plan as fits the card.
[[nodiscard]] Kernel float_matmul(const std::string& name, const MatmulShape& shape, const isa::ArchSpec& arch,
                                  const PlanChoice& choice = {});
[[nodiscard]] MatmulPlan plan_float_matmul(const std::string& name, const MatmulShape& shape,
                                           const isa::ArchSpec& arch);

}  // namespace npu::kernels
