// What each token attends to in a window layer.
#pragma once

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// The window part of the index list (decode-layer.md S6): -1 none, [0, W) ring slot, W + s token s of this step.
/// Arguments: position_ids [T, 1] i32 (>= 0) -> sparse_indices [T, W] i32. Vector task, one token a step.
[[nodiscard]] Kernel index_list_swa(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
