// What the L2 of a card holds: no data, only residency. Blocks are replaced in LRU order; each has 64 sectors that are
// filled and written back separately, so that a strided transfer brings in only what it touches (machine.md 1 and 2.2).
// A request, of some sectors, hits when all sectors that it asks for are there; otherwise it fetches all of them.
// Not modelled: sets and their conflicts, slices.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace npu::model {

/// One transfer as L2 sees it; bytes.
struct L2Access {
  std::uint64_t hit = 0;           ///< found (of a read)
  std::uint64_t miss = 0;          ///< not found
  std::uint64_t written_back = 0;  ///< dirty sectors that had to leave, or that L2 cleans
};

/// A transfer that brings in what it has missed, as the caller names it; number 0: its bytes are there at once.
struct Fill {
  std::uint32_t slot = 0;
  std::uint64_t number = 0;
};

class L2Cache {
 public:
  /// Requires a power of two of at least 64 as block, one of no more as request, and a capacity of at least one block.
  /// With more than `dirty_bytes` of dirty sectors, a full L2 writes its oldest dirty block back for each block that it
  /// replaces, and keeps it.
  L2Cache(std::uint64_t capacity_bytes, std::uint64_t block_bytes, std::uint64_t request_bytes,
          std::uint64_t dirty_bytes);

  /// Looks up and brings in `lines` pieces of `line_bytes` bytes, `pitch` bytes apart, the first at byte `offset` of
  /// the card. A write makes its sectors dirty and fills none. Contiguous lines cost one step per block, others per
  /// line. `fill` is this transfer; `fills` gets those that bring in, or have brought in, what this one has found.
  L2Access access(std::uint64_t offset, std::uint64_t lines, std::uint64_t line_bytes, std::int64_t pitch, bool write,
                  Fill fill, std::vector<Fill>& fills);

  [[nodiscard]] std::uint64_t resident_bytes() const { return resident_sectors_ << sector_shift_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Node {
    std::uint64_t valid = 0, dirty = 0, filling = 0;  // one bit per sector
    Fill fill = {};                                   // the last one to bring in sectors of `filling`
    std::uint32_t block = 0;
    std::uint32_t newer = kNone, older = kNone;
  };
  struct Access {
    bool write;
    Fill fill;
    std::vector<Fill>& fills;
    L2Access result = {};
  };
  void access_range(std::uint64_t begin, std::uint64_t end, Access& access);
  std::uint32_t touch(std::uint32_t block);
  void unlink(std::uint32_t node);
  void push_newest(std::uint32_t node);
  void evict_oldest(L2Access& result);
  void clean_oldest(L2Access& result);
  [[nodiscard]] bool is_dirty(std::uint32_t block) const;

  [[nodiscard]] std::uint64_t widen_to_requests(std::uint64_t sectors) const;

  unsigned block_shift_, sector_shift_;
  unsigned request_sectors_;
  std::uint64_t first_of_requests_ = 0;  // one bit per request: its first sector
  std::uint64_t capacity_sectors_, resident_sectors_ = 0;
  std::uint64_t dirty_limit_, dirty_sectors_ = 0;
  std::deque<std::uint32_t> dirty_blocks_;    // in the order in which they became dirty; some are clean again
  std::vector<std::uint32_t> node_of_block_;  // by block number; grows with the addresses in use
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_nodes_;
  std::uint32_t newest_ = kNone, oldest_ = kNone;
};

}  // namespace npu::model
