// Hyper-connection entry: mixes the stack of M rows per token into one and computes the factors of the way back
// (decode-layer.md S3.2).
#pragma once

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Arguments: x [T, M*D] bf16, fn [X, M*D] f32, scale [1, 3] f32, base [1, X] f32, x_mixed [T, D] bf16, post [T, M]
/// f32, comb [T, M*M] f32 (flat in*M + out), workspace. Mixed task, one block per row group of at most 16 tokens.
/// x_mixed is summed in pairs and rounded to nearest even.
[[nodiscard]] Kernel hc_pre(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
