// The scalar unit's data cache: write-back, direct-mapped, not coherent with memory or other cores.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace npu::model {

class DataCache {
 public:
  static constexpr std::uint64_t kInvalid = ~std::uint64_t{0};
  struct Line {
    std::uint64_t address = kInvalid;  ///< of the first byte
    bool dirty = false;
  };

  /// `line_bytes` is a power of two, and no element is larger.
  DataCache(std::uint32_t lines, std::uint32_t line_bytes)
      : line_bytes_{line_bytes},
        line_shift_{std::countr_zero(line_bytes)},
        lines_(lines),
        bytes_(std::size_t{lines} * line_bytes) {}
  [[nodiscard]] std::uint64_t line_bytes() const { return line_bytes_; }
  [[nodiscard]] std::uint64_t line_address(std::uint64_t address) const { return address & ~(line_bytes_ - 1); }
  /// The slot that the address maps to; a hit when its address is the line's.
  [[nodiscard]] Line& slot(std::uint64_t address) { return lines_[(address >> line_shift_) % lines_.size()]; }
  [[nodiscard]] bool hit(std::uint64_t address) { return slot(address).address == line_address(address); }
  [[nodiscard]] std::vector<Line>& lines() { return lines_; }
  /// Of a line of this cache.
  [[nodiscard]] std::span<std::byte> data(const Line& line) {
    return std::span{bytes_}.subspan(static_cast<std::size_t>(&line - lines_.data()) * line_bytes_, line_bytes_);
  }
  /// Clean lines disappear; dirty ones stay until they are cleaned.
  void invalidate_clean() {
    for (Line& l : lines_) {
      if (!l.dirty) l.address = kInvalid;
    }
  }

 private:
  std::uint64_t line_bytes_;
  int line_shift_;  ///< its binary logarithm: a division for every access would be slow
  std::vector<Line> lines_;
  std::vector<std::byte> bytes_;  ///< line by line
};

}  // namespace npu::model
