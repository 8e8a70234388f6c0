#include "isa/semantics/strided_copy.hpp"

#include <algorithm>
#include <cstring>

namespace npu::isa {
namespace {

template <class T>
void transpose(const Lines& dst, const Lines& src, std::uint32_t src_lines, std::uint32_t src_length) {
  constexpr std::uint32_t kEdge = 16;  // lines of a block fit the first-level cache in both directions
  for (std::uint32_t i0 = 0; i0 < src_lines; i0 += kEdge) {
    const std::uint32_t i1 = std::min(i0 + kEdge, src_lines);
    for (std::uint32_t j = 0; j < src_length; ++j) {
      std::byte* to = dst.line(j);
      for (std::uint32_t i = i0; i < i1; ++i) {
        std::memcpy(to + i * sizeof(T), src.line(i) + j * sizeof(T), sizeof(T));
      }
    }
  }
}

}  // namespace

void copy_lines(const Lines& dst, const Lines& src, std::uint32_t lines, std::size_t bytes) {
  const auto packed = static_cast<std::int64_t>(bytes);
  if (dst.pitch == packed && src.pitch == packed) {
    std::memmove(dst.data, src.data, bytes * lines);
    return;
  }
  for (std::uint32_t i = 0; i < lines; ++i) std::memmove(dst.line(i), src.line(i), bytes);
}

void transpose_lines(const Lines& dst, const Lines& src, std::uint32_t src_lines, std::uint32_t src_length,
                     std::uint32_t element_size) {
  switch (element_size) {
    case 1:
      return transpose<std::uint8_t>(dst, src, src_lines, src_length);
    case 2:
      return transpose<std::uint16_t>(dst, src, src_lines, src_length);
    case 4:
      return transpose<std::uint32_t>(dst, src, src_lines, src_length);
    default:
      return transpose<std::uint64_t>(dst, src, src_lines, src_length);
  }
}

}  // namespace npu::isa
