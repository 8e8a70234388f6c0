// Write-back of the step's KV rows into the ring.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// kv_cache row ori_slot_mapping[t] := kv[t] for every t with a slot >= 0; of several tokens with one slot the last
/// wins (decode-layer.md S7.6).
/// Arguments: kv [T, hd] bf16, ori_slot_mapping [T, 1] i64, kv_cache [rows, hd] bf16 inout. Vector task.
[[nodiscard]] Kernel ring_write(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
