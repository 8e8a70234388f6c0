// Rotation of the indexer's query heads.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Per token and index head: the last rd columns turn by the angle of the request's first position, for every token of
/// the request; all columns round to nearest even (decode-layer.md S5, S12 K).
/// Arguments: u [T, nh*ih] f32, position_ids [T, 1] i32, freqs_cos, freqs_sin [L, rd] bf16 -> q [T*nh, ih] bf16.
/// Vector task. Throws ConfigError if the rotated columns do not start on a 32-byte block.
[[nodiscard]] Kernel indexer_query_rope(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
