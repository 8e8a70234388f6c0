// Flags and tensors that the workloads with a matrix product share.
#pragma once

#include <vector>

#include "kernels/calibration/gemm_plan.hpp"
#include "orchestration/calibration/plan_field.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// All fields of the plan but the types of operands and result.
[[nodiscard]] std::vector<PlanField> gemm_fields(kernels::GemmPlan& plan);

/// a [groups*m, k] x b, the groups below each other, in f32: chains of fused products along k.
[[nodiscard]] std::vector<float> float_product(const kernels::GemmPlan& plan, const Tensor& a, const Tensor& b,
                                               unsigned threads);
/// The same of i8, exact.
[[nodiscard]] std::vector<std::int32_t> integer_product(const kernels::GemmPlan& plan, const Tensor& a, const Tensor& b,
                                                        unsigned threads);

/// Rows and columns of b.
[[nodiscard]] kernels::Extent2 extent_of_b(const kernels::GemmPlan& plan);

}  // namespace npu::orch
