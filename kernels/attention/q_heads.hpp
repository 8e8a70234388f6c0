// Norm and rotation of the query heads.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Per token and head: the last rd columns are rotated, then everything is multiplied by the head's rms factor and
/// rounded to nearest even (decode-layer.md S3.4, S12).
/// Arguments: u [T, H*hd] f32, position_ids [T, 1] i32, freqs_cos, freqs_sin [L, rd] bf16 -> q [T, H*hd] bf16.
/// Vector task. Throws ConfigError if the rotated columns do not start on a 32-byte block.
[[nodiscard]] Kernel q_heads(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
