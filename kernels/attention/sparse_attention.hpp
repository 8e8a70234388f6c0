// Sparse attention with sink over a gathered list of key rows (decode-layer.md S6, S7 steps 1 to 5).
#pragma once

#include <cstdint>

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// o[t, h] = inverse rope(softmax over the rows that sparse_indices[t] names, with attn_sink[h] as one more logit).
/// Codes: -1 none; below W a ring slot; W + s row s of this step's kv of the same request; W + S + c compressed row c.
/// Weights and the output before the rope round ties away from zero, the output after it to even (S12, K).
/// Arguments: q [T, H*hd] bf16, kv_cache [rows, hd] bf16, block_table [B, 1] i32, kv [T, hd] bf16, cmp_kv [rows, hd]
/// bf16, cmp_block_table [B, cmp_max_blocks] i32, sparse_indices [T, list_width] i32, attn_sink [1, H] f32,
/// position_ids [T, 1] i32, freqs_cos and freqs_sin [L, rd] bf16, o [T, H*hd] bf16, workspace.
/// The compressed tensors are read only where a code names a compressed row. A block takes tokens in turn; mixed task.
/// Throws ProgramError for shapes that the kernel does not tile.
[[nodiscard]] Kernel sparse_attention(const LayerConfig& cfg, const isa::ArchSpec& arch, std::uint32_t list_width,
                                      const PlanChoice& choice = {});

}  // namespace npu::kernels
