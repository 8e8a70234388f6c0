// First half of an expert: h = silu(x @ w1^T) * (x @ w3^T), both products int8 and dequantised (decode-layer.md S8.2).
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// g = ((f32) x.w1 * x_scale) * w1_scale, u likewise with w3; with a SwiGLU limit L: g = min(g, L), u in [-L, L];
/// h = (g * 1/(1 + e^-g)) * u in f32.
/// Arguments: x [T, D] i8, x_scale [T, 1] f32, w1 [MI, D] i8, w1_scale [1, MI] f32, w3, w3_scale, h [T, MI] f32,
/// workspace. Mixed task.
[[nodiscard]] Kernel shared_gate_up(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

/// The same for every local expert on its received rows.
/// Arguments: x [EL*RM, D] i8, x_scale [EL*RM, 1] f32, count [EL, 1] i32, w1 [EL*MI, D] i8, w1_scale [EL, MI] f32, w3,
/// w3_scale, h [EL*RM, MI] f32, workspace. Rows of h beyond an expert's count keep their contents.
[[nodiscard]] Kernel routed_gate_up(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
