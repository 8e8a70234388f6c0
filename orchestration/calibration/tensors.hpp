// Tensors of calibration runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "orchestration/calibration/workload.hpp"

namespace npu::orch {

/// An argument [rows, cols] on every card: random values, or zero where nobody reads them. Floats lie in [-1, 1),
/// integers in [-8, 8].
[[nodiscard]] KernelValue random_value(const std::string& name, isa::DType dtype, std::uint64_t rows,
                                       std::uint64_t cols, const CaseOptions& options);
/// The same, zero at the start. `fill` writes what is expected of a card's tensor.
[[nodiscard]] KernelValue result_value(const std::string& name, isa::DType dtype, std::uint64_t rows,
                                       std::uint64_t cols, const CaseOptions& options,
                                       const std::function<void(Tensor&, std::uint32_t card)>& fill);

/// Bytes that the kernel alone reads.
[[nodiscard]] KernelValue scratch_value(const std::string& name, std::uint64_t bytes, const CaseOptions& options);

/// A float tensor of any type as f32, and f32 rounded to nearest even into one.
[[nodiscard]] std::vector<float> to_floats(const Tensor& tensor);
void from_floats(Tensor& tensor, const std::vector<float>& values);

}  // namespace npu::orch
