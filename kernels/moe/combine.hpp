// Result rows on their way back to their tokens, and the sum over the experts of a token (decode-layer.md S8.4).
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Every row of y goes to row recv_route of win_y on the rank that its token came from.
/// In:      y [EL*RM, D] bf16, recv_route [EL*RM, 1] i32, recv_count [EL, 1] i32 (0 everywhere after an overflow: then
///          nothing is sent), counts [R*R, EL] i32 of the dispatch.
/// Windows: win_y [T*KE, D] bf16, win_combine_done [R, 1] i32, zero before the first launch; symmetric. A cell counts
///          the blocks of its source rank.
/// Scalar:  epoch, how many exchanges the windows have carried before (exchange_links.hpp).
/// Vector task, experts over the blocks; when it is complete, the rows of all ranks are in this rank's win_y.
[[nodiscard]] Kernel combine_push(const LayerConfig& cfg, const isa::ArchSpec& arch);

/// ffn[t] = bf16(sh[t] + win_y[t*KE] + ... + win_y[t*KE + KE-1]), fp32, added from left to right.
/// In: sh [T, D] bf16, win_y [T*KE, D] bf16. Out: ffn [T, D] bf16. Vector task, pieces of tokens and columns over the
/// blocks.
[[nodiscard]] Kernel combine_reduce(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
