// Write of a step's compressed rows into their cache.
#pragma once

#include <string>

#include "kernels/common/compressor_shape.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// cache row cache_slot_mapping[t] := bf16_rint of row[b*S] for every request b whose step completes a window, t the
/// token that completes it, unless its slot is negative (decode-layer.md S4). The slots are distinct.
/// Arguments: row [T, h] f32, position_ids [T, 1] i32, cache_slot_mapping [T, 1] i64, cache [rows, h] bf16 inout.
/// Vector task.
[[nodiscard]] Kernel compressed_row_write(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                                          const isa::ArchSpec& arch);

}  // namespace npu::kernels
