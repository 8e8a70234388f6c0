// The indexer's choice.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// topk[t, :min(KI, n)] = W + S + entry of the largest of the request's n = kv_seq_lens / 4 scores, descending, equal
/// ones in ascending order; the other columns are -1 (decode-layer.md S5).
/// Arguments: score [T, L/4] f32 (-3.4028234663852886e38 from n on), kv_seq_lens [B, 1] i32 (0 to L) -> topk [T, L/4]
/// i32. Vector task, one token a step. Throws ConfigError if L/4 is not in whole runs of the sort.
[[nodiscard]] Kernel indexer_topk(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
