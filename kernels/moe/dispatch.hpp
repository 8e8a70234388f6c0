// Rows on their way to the experts, over all cards at once (decode-layer.md S8.3, protocol of runtime.md 2.4).
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Route (t, k) goes to row `slot` of expert indices[t, k]; rows of an expert are ordered by (source rank, token, k).
/// In:      indices [T, KE] i32, weights [T, KE] f32, x_i8 [T, D] i8, x_scale [T, 1] f32.
/// Windows: win_pub_counts [R*R, EL] i32, win_count_done [R, 1] i32, win_data_done [R, 1] i32, win_x [EL*RM, D] i8,
///          win_scale, win_w [EL*RM, 8] f32, win_route [EL*RM, 8] i32; symmetric, counts and cells zero before the
///          first launch. The counts are zero again when the task is complete.
/// Scalar:  epoch, how many exchanges the windows have carried before (exchange_links.hpp).
/// Out:     recv_x [EL*RM, D] i8, recv_scale, recv_w [EL*RM, 1] f32, recv_route [EL*RM, 1] i32, recv_count [EL, 1] i32,
///          counts [R*R, EL] i32 (rows of every expert: row source*R + destination), status [1, 8] i32. Rows of an
///          expert from recv_count on are not written: they carry no contract. (The kernel that this follows stages out
///          the whole window, whatever its fill.)
///
/// Every rank knows all counts before the first row moves. If some expert would get more than RM rows, every rank
/// reports status = [1, card, local expert, rows, RM, 0, 0, 0] of the first such expert, receives nothing, sends
/// nothing, and passes all meetings.
///
/// Vector task of several blocks that wait for each other (sync_start): each counts, publishes and sends its share of
/// the tokens and stages out its share of the experts. A cell of win_count_done or win_data_done counts the blocks of
/// its source rank; the cell of the own rank counts too. workspace holds the counts of every block. Throws ProgramError
/// when a token row or the tables of all experts exceed UB.
[[nodiscard]] Kernel dispatch(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
