// First half of the output projection: the grouped product, and the quantisation of its result.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// r[t, g*ol + c] = sum_i o[t, g*gi + i] * wo_a[g*ol + c, i] for every group g (decode-layer.md S7 step 6).
/// Arguments: o [T, H*hd] bf16, wo_a [OG*ol, gi] bf16 -> r [T, OG*ol] f32. Cube task. Throws ProgramError if gi is not
/// a multiple of 16.
[[nodiscard]] Kernel o_proj_a(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

/// o_i8, o_scale = Q(r rounded to bf16, ties to even).
/// Arguments: r [T, OG*ol] f32 -> o_i8 [T, OG*ol] i8, o_scale [T, 1] f32. Vector task, one token a step.
[[nodiscard]] Kernel o_quant(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
