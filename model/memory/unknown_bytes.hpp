// Which bytes of a memory hold nothing, because timing mode skipped the instruction that would have written them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace npu::model {

/// One bit per block of 2^block_shift bytes. Everything is known at first.
class UnknownBytes {
 public:
  explicit UnknownBytes(unsigned block_shift) : block_shift_{block_shift} {}

  /// Every block that [begin, end) touches.
  void mark(std::uint64_t begin, std::uint64_t end);
  void clear(std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] bool any(std::uint64_t begin, std::uint64_t end) const;

 private:
  unsigned block_shift_;
  std::vector<std::uint64_t> words_;  ///< blocks behind the last word are known
};

}  // namespace npu::model
