// The scalar unit's data cache: 64-byte lines, write-back, direct-mapped, not coherent with memory or other cores.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace npu::model {

class DataCache {
 public:
  static constexpr std::uint64_t kLineBytes = 64;
  struct Line {
    std::uint64_t address = kInvalid;  ///< of the first byte
    bool dirty = false;
    std::array<std::byte, kLineBytes> data{};
  };
  static constexpr std::uint64_t kInvalid = ~std::uint64_t{0};

  explicit DataCache(std::uint32_t lines) : lines_(lines) {}
  [[nodiscard]] static std::uint64_t line_address(std::uint64_t address) { return address & ~(kLineBytes - 1); }
  /// The slot that the address maps to; a hit when its address is the line's.
  [[nodiscard]] Line& slot(std::uint64_t address) { return lines_[address / kLineBytes % lines_.size()]; }
  [[nodiscard]] bool hit(std::uint64_t address) { return slot(address).address == line_address(address); }
  [[nodiscard]] std::vector<Line>& lines() { return lines_; }
  /// Clean lines disappear; dirty ones stay until they are cleaned.
  void invalidate_clean() {
    for (Line& l : lines_) {
      if (!l.dirty) l.address = kInvalid;
    }
  }

 private:
  std::vector<Line> lines_;
};

}  // namespace npu::model
