// Norm and quantisation of the query latent.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// n = bf16_rint((a * rms(a)) * gamma); qr, qr_scale = Q(n) (decode-layer.md S3.4).
/// Arguments: a [T, ql] f32, gamma [1, ql] bf16 -> qr [T, ql] i8, qr_scale [T, 1] f32. Vector task.
[[nodiscard]] Kernel q_latent(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
