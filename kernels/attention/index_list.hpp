// What each token attends to.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// The index list (decode-layer.md S6): -1 none, [0, W) ring slot, W + s token s of this step, W + S + c compressed
/// entry c. The first W columns are the window; hca adds a column for each of the first min(L/128, KI) entries, csa one
/// for each of the KI best; entries that the token's position or the request's length does not reach yet are -1.
/// Arguments: position_ids [T, 1] i32 (>= 0); hca and csa: kv_seq_lens [B, 1] i32; csa: topk [T, L/4] i32, codes of
/// entries or -1 -> sparse_indices [T, width] i32. Vector task, one token a step.
[[nodiscard]] Kernel index_list(const LayerConfig& cfg, AttentionKind kind, const isa::ArchSpec& arch);

}  // namespace npu::kernels
