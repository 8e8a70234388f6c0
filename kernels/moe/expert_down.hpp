// Second half of a routed expert: y = h @ w2^T, int8, with the route's weight (decode-layer.md S8.2).
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// y = ((f32) h.w2 * (h_scale * route_w)) * w2_scale, to bf16 (nearest even).
/// Arguments: h_i8 [EL*RM, MI] i8, h_scale [EL*RM, 1] f32, route_w [EL*RM, 1] f32, count [EL, 1] i32, w2 [EL*D, MI] i8,
/// w2_scale [EL, D] f32, y [EL*RM, D] bf16, workspace. Rows of y beyond an expert's count keep their contents. Mixed
/// task.
[[nodiscard]] Kernel routed_down(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
