// Write of the step's tokens into the state pool of a compressor.
#pragma once

#include <string>

#include "kernels/common/compressor_shape.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// state row state_slot_mapping[t] := kv[t], score[t] + ape[p mod ratio] for every t with a slot >= 0, p its position;
/// of several tokens with one slot the last wins (decode-layer.md S4).
/// Arguments: kv, score [T, o] f32, ape [ratio, o] f32, position_ids [T, 1] i32, state_slot_mapping [T, 1] i64,
/// state [rows, 2*o] f32 inout. Vector task.
[[nodiscard]] Kernel compressor_scatter(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                                        const isa::ArchSpec& arch);

}  // namespace npu::kernels
