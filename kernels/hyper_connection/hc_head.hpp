// Hyper-connection exit of the model: collapses the stack of M rows per token after the last layer into one.
#pragma once

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// x_head = sum over h of (sigmoid((v @ fn^T)[h] * r * scale + base[h]) + hc_eps) * x[h], v the flat stack, r its rms
/// factor: the mix of hc_pre (decode-layer.md S3.2) without post and comb, hence without Sinkhorn.
/// Arguments: x [T, M*D] bf16, fn [M, M*D] f32, scale [1, 1] f32, base [1, M] f32, x_head [T, D] bf16, workspace. Mixed
/// task, one block per row group of at most 16 tokens. Summed in pairs and rounded to nearest even, as in hc_pre.
[[nodiscard]] Kernel hc_head(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
