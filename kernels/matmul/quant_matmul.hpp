// int8 projection: y = dequantise(x @ w), the cube computes int32 tiles, the two vector cores of the cluster scale
// them.
#pragma once

#include <string>

#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct QuantMatmulShape {
  std::uint32_t rows, n, k;  ///< x [rows, k] i8, y [rows, n]
  WeightOrder order;         ///< w [k, n] or [n, k], i8
  isa::DType out;            ///< f32, or bf16 rounded to nearest even
};

struct QuantMatmulPlan {
  QuantMatmulShape shape;
  MatmulTiling tiling;
  std::uint32_t rows;  ///< that a vector core dequantises at a time
  [[nodiscard]] MatmulShape product() const { return {shape.rows, shape.n, shape.k, isa::DType::I8, shape.order}; }
  [[nodiscard]] PlanFields fields(const isa::ArchSpec& arch);
  [[nodiscard]] bool shrink(const isa::ArchSpec& arch, const isa::CapacityError& error);
};

/// y[r, c] = ((f32) sum_k x[r, k] w[k, c]) * x_scale[r] * w_scale[c], in this order (decode-layer.md S2.5).
/// Arguments: x [rows, k] i8, x_scale [rows] f32, w i8, w_scale [n] f32, y [rows, n], workspace.
/// One block per group of column tiles; mixed task.
[[nodiscard]] Kernel quant_matmul(const QuantMatmulPlan& plan, const std::string& name, const isa::ArchSpec& arch);
/// With as large a plan as fits the card.
[[nodiscard]] Kernel quant_matmul(const std::string& name, const QuantMatmulShape& shape, const isa::ArchSpec& arch,
                                  const PlanChoice& choice = {});
[[nodiscard]] QuantMatmulPlan plan_quant_matmul(const std::string& name, const QuantMatmulShape& shape,
                                                const isa::ArchSpec& arch);

}  // namespace npu::kernels
