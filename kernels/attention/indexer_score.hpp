// How well every compressed key suits a token: the lightning indexer's scores.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// score[t, j] = sum over heads h of max(0, (zi[t, h] . ki[j]) * zs[t, h] * ks[j]) * wt[t, h] * (ih * nh)^-1/2 for the
/// request's entries j < n = kv_seq_lens / 4, where ki, ks = Q(idx_kv_cache row of entry j); -3.4028234663852886e38
/// from n on (decode-layer.md S5). Scales are positive, so that they multiply the sums instead of every term.
/// Arguments: zi [T*nh, ih] i8, zs [T*nh, 1] f32, wt [T, nh] f32, idx_kv_cache [rows, ih] bf16, idx_block_table
/// [B, idx_max_blocks] i32, kv_seq_lens [B, 1] i32 (0 to L) -> score [T, L/4] f32; workspace. Mixed task: every block
/// takes key tiles in turn, over all requests. Throws ConfigError for pages that do not divide into tiles, ProgramError
/// for shapes that do not fit the card.
[[nodiscard]] Kernel indexer_score(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
