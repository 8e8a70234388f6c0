// Rotary position tables (decode-layer.md S3.1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// Rows that a table may have: sin_cos_f64 is exact for their angles.
inline constexpr std::uint32_t kMostPositions = 1U << 20U;

struct RopeTables {
  Tensor cos, sin;  ///< [max_positions, rope_dim] bf16; the second half of a row repeats the first
};

/// Ratio 0: base rope_theta, no scaling. Ratio 4 or 128: base compress_rope_theta with YaRN. Frequencies and angles are
/// fp32 as in the reference; cos and sin are correctly rounded to fp32, then nearest-even bf16. Rows before `first`
/// stay zero and occupy no memory.
[[nodiscard]] RopeTables rope_tables(const kernels::LayerConfig& config, std::uint32_t ratio, std::size_t first = 0);

}  // namespace npu::orch
