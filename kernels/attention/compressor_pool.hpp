// Windows of a compressor's state that this step completes, as normed and rotated rows.
#pragma once

#include <string>

#include "kernels/common/compressor_shape.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// For every request whose step completes a window, row[b*S] = rot(norm_w * (y * rms(y))), y the softmax of the
/// window's scores times its kv, column by column; all other rows are 0 (decode-layer.md S4). State rows that were
/// never written (score -inf) have weight 0.
/// Arguments: state [rows, 2*o] f32 with this step's tokens, state_table [B, pages] i32, position_ids [T, 1] i32,
/// norm_w [1, h] f32, freqs_cos, freqs_sin [L, rd] bf16 -> row [T, h] of type `out`: F32, or BF16 (rint) for the
/// Hadamard product of the inner compressor. Vector task. Throws ConfigError if the rotated columns do not start on a
/// 32-byte block.
[[nodiscard]] Kernel compressor_pool(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                                     const isa::ArchSpec& arch, isa::DType out);

}  // namespace npu::kernels
