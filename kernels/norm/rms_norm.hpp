// Root-mean-square norms of bf16 rows, alone (attention) or followed by the int8 quantisation (router).
#pragma once

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// y = bf16_rint((x * r) * w), r = 1 / sqrt(mean(x^2) + eps) (decode-layer.md S2.6, S3.3).
/// Arguments: x [T, D] bf16, w [1, D] f32, y [T, D] bf16. Vector task, one block per row group.
[[nodiscard]] Kernel rms_norm(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

/// The same with Q of the result (S2.4, S8.1): x [T, D] bf16, w [1, D] f32, x_norm [T, D] bf16, x_norm_f32 [T, D] f32
/// (x_norm widened), x_i8 [T, D] i8, x_scale [T, 1] f32. Vector task, one block per row group.
/// Throws ProgramError with the memory map when one row with its results (25 bytes a column) exceeds UB.
[[nodiscard]] Kernel norm_quant(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
