// Dimensions of a KV compressor (decode-layer.md S4); what its kernels and its reference agree on.
#pragma once

#include <cstdint>

#include "isa/errors.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// The position whose angle rotates a compressed row: the first of its window, or the first of the step (S16.3).
enum class RowAngle : std::uint8_t { WindowStart, StepStart };

struct CompressorShape {
  std::uint32_t ratio = 4;        ///< positions of a window; 4 overlaps with the window before it
  std::uint32_t row_width = 0;    ///< h, columns of a compressed row
  std::uint32_t state_page = 4;   ///< positions of a state page
  std::uint32_t state_pages = 0;  ///< entries of a request's table of state pages
  RowAngle angle = RowAngle::WindowStart;

  [[nodiscard]] bool overlaps() const { return ratio == 4; }
  [[nodiscard]] std::uint32_t width() const { return overlaps() ? 2 * row_width : row_width; }  ///< o
  /// State pages of a request that a step of `seq` tokens or a later one can read: the windows that the first of its
  /// tokens reaches back into, up to its last token, wherever a page starts.
  [[nodiscard]] std::uint32_t live_pages(std::uint32_t seq) const {
    const std::uint32_t positions = (overlaps() ? 2 : 1) * ratio + seq - 1;
    return (positions + state_page - 2) / state_page + 1;
  }
};

/// Requires kind != Swa.
[[nodiscard]] inline CompressorShape main_compressor(const LayerConfig& cfg, AttentionKind kind) {
  NPU_ASSERT(kind != AttentionKind::Swa, "window attention has no compressor");
  if (kind == AttentionKind::Hca) return {128, cfg.head_dim, cfg.c128_page, cfg.c128_max_blocks, RowAngle::WindowStart};
  return {4, cfg.head_dim, cfg.c4_page, cfg.c4_max_blocks, RowAngle::WindowStart};
}

/// The indexer's own.
[[nodiscard]] inline CompressorShape inner_compressor(const LayerConfig& cfg) {
  return {4, cfg.index_dim, cfg.c4_page, cfg.c4_max_blocks, RowAngle::StepStart};
}

}  // namespace npu::kernels
