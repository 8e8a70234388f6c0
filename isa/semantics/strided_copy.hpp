// Copy of a rectangle of elements between any two orientations.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/semantics/semantics.hpp"

namespace npu::isa {

/// Lines of elements; how a tile or a GM view lies in memory.
struct Lines {
  std::byte* data;
  std::int64_t pitch;  ///< bytes between lines
  [[nodiscard]] std::byte* line(std::uint32_t i) const { return data + static_cast<std::int64_t>(i) * pitch; }
};
[[nodiscard]] inline Lines lines_of(const TileView& t) { return {t.data, t.pitch}; }

/// dst line i = src line i, for `lines` lines of `bytes` bytes.
void copy_lines(const Lines& dst, const Lines& src, std::uint32_t lines, std::size_t bytes);
/// dst[j][i] = src[i][j] for i < src_lines, j < src_length; elements of element_size bytes.
void transpose_lines(const Lines& dst, const Lines& src, std::uint32_t src_lines, std::uint32_t src_length,
                     std::uint32_t element_size);

}  // namespace npu::isa
