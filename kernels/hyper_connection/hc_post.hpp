// Hyper-connection exit: the stack of M rows per token after a half layer (decode-layer.md S9).
#pragma once

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// out[t, o] = bf16_rint(y[t] * post[t, o] + sum over i of x[t, i] * comb[t, i, o]), left to right in fp32.
/// Arguments: y [T, D] bf16, x [T, M*D] bf16, post [T, M] f32, comb [T, M*M] f32, out [T, M*D] bf16.
/// Vector task, one block per row group.
[[nodiscard]] Kernel hc_post(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
