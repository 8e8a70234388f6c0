// Where the operands of a block of a matrix product lie. For parts that walk the blocks of a GemmPlan.
#pragma once

#include "kernels/calibration/gemm_plan.hpp"

namespace npu::kernels {

/// The block's first row in the matrix of all groups.
[[nodiscard]] isa::Reg row_of(isa::PartBuilder& part, const GemmPlan& plan, const GemmBlock& block);
/// The right operand of the block's group, from the first element of its part of k on.
[[nodiscard]] isa::GmTensor b_of(const isa::GmTensor& b, const GemmPlan& plan, const GemmBlock& block);
/// Lets the k loops of the cores begin at different slabs where the plan says so.
void stagger(isa::PartBuilder& part, const GemmPlan& plan, CubeMatmul& product);

}  // namespace npu::kernels
