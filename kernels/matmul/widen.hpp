// A bf16 operand for a product in fp32.
#pragma once

#include <string>

#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// y = x in fp32, exactly. Arguments: x [rows, cols] bf16 -> y [rows, cols] f32. Vector task, a few rows a step. Throws
/// ProgramError when a row exceeds UB.
[[nodiscard]] Kernel widen(const std::string& name, std::uint32_t rows, std::uint32_t cols, const isa::ArchSpec& arch,
                           const PlanChoice& choice = {});

}  // namespace npu::kernels
