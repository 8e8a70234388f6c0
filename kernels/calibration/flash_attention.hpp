// Attention of full heads in tiles of keys: scores and values on the cube core, running softmax on the vector cores.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct FlashAttentionPlan {
  std::uint32_t s0 = 128, s1 = 512;  ///< queries, keys
  std::uint32_t head_dim = 128, heads = 1;
  std::uint32_t cores = 0;  ///< clusters; 0: one for each block of queries, as far as there are

  // 0: chosen by resolved().
  std::uint32_t cube_s0 = 0;  ///< queries of a block
  std::uint32_t cube_s1 = 0;  ///< keys of one product
  std::uint32_t tile_s1 = 0;  ///< keys that the cores hand over at a time
  std::uint32_t preload = 4;  ///< tiles that scores run ahead of values
  std::uint32_t fifo = 8;     ///< tiles in flight between the cores

  [[nodiscard]] std::uint32_t tiles() const { return s1 / tile_s1; }
  [[nodiscard]] std::uint32_t blocks() const { return heads * (s0 / cube_s0); }
  [[nodiscard]] std::uint32_t core_rows() const { return cube_s0 / 2; }  ///< queries of a vector core
  /// Queries that a vector core handles at a time.
  [[nodiscard]] std::uint32_t slice_rows() const { return core_rows() * cube_s1 / tile_s1; }
};

/// The plan with everything chosen. ConfigError, with the reason and the way out, for sizes that it does not tile.
[[nodiscard]] FlashAttentionPlan resolved(const FlashAttentionPlan& plan, const isa::ArchSpec& arch);

/// o = softmax(q k^T / sqrt(head_dim)) v, per head. Arguments: q [heads*s0, head_dim] f16, k, v [heads*s1, head_dim]
/// f16, o [heads*s0, head_dim] f32, workspace. Weights of a tile are rounded to f16, ties away from zero. Throws what
/// resolved() throws, and CapacityError for tiles that do not fit.
[[nodiscard]] Kernel flash_attention(const FlashAttentionPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
