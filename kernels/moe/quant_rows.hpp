// Row-wise int8 quantisation of an f32 matrix (decode-layer.md S2.4): q = rint(row * s), scale = 1 / s, with s
// as in kernels/common/quantise.hpp.
#pragma once

#include <string>

#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Arguments: x [rows, cols] f32, x_i8 [rows, cols] i8, x_scale [rows, 1] f32. Vector task.
[[nodiscard]] Kernel quant_rows(const std::string& name, std::uint32_t rows, std::uint32_t cols,
                                const isa::ArchSpec& arch);

/// The received rows of every local expert.
/// Arguments: h [EL*RM, MI] f32, count [EL, 1] i32, h_i8 [EL*RM, MI] i8, h_scale [EL*RM, 1] f32. Rows beyond an
/// expert's count keep their contents. Vector task.
[[nodiscard]] Kernel routed_quant(const LayerConfig& cfg, const isa::ArchSpec& arch);

}  // namespace npu::kernels
