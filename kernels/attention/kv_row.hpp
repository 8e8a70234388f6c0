// Norm and rotation of the step's KV rows.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// kv = bf16_rint of (k * rms(k)) * gamma with the last rd columns rotated (decode-layer.md S3.4).
/// Arguments: k [T, hd] f32, gamma [1, hd] bf16, position_ids [T, 1] i32, freqs_cos, freqs_sin [L, rd] bf16
/// -> kv [T, hd] bf16. Vector task. Throws ConfigError if the rotated columns do not start on a 32-byte block.
[[nodiscard]] Kernel kv_row(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
