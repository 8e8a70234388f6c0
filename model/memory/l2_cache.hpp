// What the L2 of a card holds: no data, only residency. Blocks are replaced in LRU order; each has 64 sectors that are
// filled and written back separately, so that a strided transfer brings in only what it touches (machine.md 1 and 2.2).
// Not modelled: sets and their conflicts, slices, hits under a fill that is still under way (they count as hits).
#pragma once

#include <cstdint>
#include <vector>

namespace npu::model {

/// One transfer as L2 sees it; bytes.
struct L2Access {
  std::uint64_t hit = 0;           ///< found (of a read)
  std::uint64_t miss = 0;          ///< not found
  std::uint64_t written_back = 0;  ///< dirty sectors that had to leave
};

class L2Cache {
 public:
  /// Requires a power of two of at least 64 as block, and a capacity of at least one block.
  L2Cache(std::uint64_t capacity_bytes, std::uint64_t block_bytes);

  /// Looks up and brings in `lines` pieces of `line_bytes` bytes, `pitch` bytes apart, the first at byte `offset` of
  /// the card. A write makes its sectors dirty and fills none. Contiguous lines cost one step per block, others per
  /// line.
  L2Access access(std::uint64_t offset, std::uint64_t lines, std::uint64_t line_bytes, std::int64_t pitch, bool write);

  [[nodiscard]] std::uint64_t resident_bytes() const { return resident_sectors_ << sector_shift_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Node {
    std::uint64_t valid = 0, dirty = 0;  // one bit per sector
    std::uint32_t block = 0;
    std::uint32_t newer = kNone, older = kNone;
  };
  void access_range(std::uint64_t begin, std::uint64_t end, bool write, L2Access& result);
  std::uint32_t touch(std::uint32_t block);
  void unlink(std::uint32_t node);
  void push_newest(std::uint32_t node);
  void evict_oldest(L2Access& result);

  unsigned block_shift_, sector_shift_;
  std::uint64_t capacity_sectors_, resident_sectors_ = 0;
  std::vector<std::uint32_t> node_of_block_;  // by block number; grows with the addresses in use
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_nodes_;
  std::uint32_t newest_ = kNone, oldest_ = kNone;
};

}  // namespace npu::model
