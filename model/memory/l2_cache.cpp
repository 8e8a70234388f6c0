#include "model/memory/l2_cache.hpp"

#include <algorithm>
#include <bit>

#include "isa/errors.hpp"

namespace npu::model {
namespace {

constexpr unsigned kSectorsLog2 = 6;
constexpr std::uint64_t kSectors = 1ull << kSectorsLog2;

/// Bits first..last.
std::uint64_t bit_range(std::uint64_t first, std::uint64_t last) {
  return (~std::uint64_t{0} >> (kSectors - 1 - (last - first))) << first;
}
/// Most often there is nothing to count, and without a compiler flag std::popcount is a call.
std::uint64_t count(std::uint64_t bits) { return bits == 0 ? 0 : static_cast<std::uint64_t>(std::popcount(bits)); }

}  // namespace

L2Cache::L2Cache(std::uint64_t capacity_bytes, std::uint64_t block_bytes, std::uint64_t request_bytes,
                 std::uint64_t dirty_bytes)
    : block_shift_{static_cast<unsigned>(std::countr_zero(block_bytes))},
      sector_shift_{block_shift_ - kSectorsLog2},
      request_sectors_{static_cast<unsigned>(std::max<std::uint64_t>(1, request_bytes >> sector_shift_))},
      capacity_sectors_{capacity_bytes >> sector_shift_},
      dirty_limit_{dirty_bytes >> sector_shift_} {
  NPU_ASSERT(std::has_single_bit(block_bytes) && block_bytes >= kSectors, "block is no power of two");
  NPU_ASSERT(request_sectors_ <= kSectors, "a request is larger than a block");
  NPU_ASSERT(capacity_sectors_ >= kSectors, "L2 is smaller than a block");
  for (unsigned s = 0; s < kSectors; s += request_sectors_) first_of_requests_ |= std::uint64_t{1} << s;
}

/// All sectors of the requests that contain one of `sectors`.
std::uint64_t L2Cache::widen_to_requests(std::uint64_t sectors) const {
  if (request_sectors_ == 1) return sectors;
  for (unsigned shift = 1; shift < request_sectors_; shift *= 2) sectors |= sectors >> shift;
  return (sectors & first_of_requests_) * ((std::uint64_t{2} << (request_sectors_ - 1)) - 1);
}

L2Access L2Cache::access(std::uint64_t offset, std::uint64_t lines, std::uint64_t line_bytes, std::int64_t pitch,
                         bool write, Fill fill, std::vector<Fill>& fills) {
  Access access{.write = write, .fill = fill, .fills = fills};
  if (lines == 1 || pitch == static_cast<std::int64_t>(line_bytes)) {
    access_range(offset, offset + lines * line_bytes, access);
    return access.result;
  }
  for (std::uint64_t i = 0; i < lines; ++i) {
    const std::uint64_t begin =
        offset + i * static_cast<std::uint64_t>(pitch);  // modulo 2^64: the pitch may be negative
    access_range(begin, begin + line_bytes, access);
  }
  return access.result;
}

void L2Cache::access_range(std::uint64_t begin, std::uint64_t end, Access& access) {
  L2Access& result = access.result;
  while (begin < end) {
    const std::uint64_t block = begin >> block_shift_;
    const std::uint64_t block_begin = block << block_shift_;
    const std::uint64_t piece_end = std::min(end, block_begin + (std::uint64_t{1} << block_shift_));
    const std::uint64_t first = (begin - block_begin) >> sector_shift_;
    const std::uint64_t last = (piece_end - 1 - block_begin) >> sector_shift_;
    const std::uint64_t asked = bit_range(first, last);

    Node& node = nodes_[touch(static_cast<std::uint32_t>(block))];
    const std::uint64_t found = asked & node.valid;
    if ((found & node.filling) != 0 && node.fill.number != access.fill.number &&
        (access.fills.empty() || access.fills.back().number != node.fill.number)) {
      access.fills.push_back(node.fill);
    }
    if (found == asked) {
      result.hit += piece_end - begin;
    } else {
      const std::uint64_t served = found & ~widen_to_requests(asked & ~found);
      std::uint64_t hit = count(served) << sector_shift_;
      // The outermost sectors may be asked for in part only.
      if ((served >> first & 1) != 0) hit -= begin - (block_begin + (first << sector_shift_));
      if ((served >> last & 1) != 0) hit -= block_begin + ((last + 1) << sector_shift_) - piece_end;
      result.hit += hit;
      result.miss += piece_end - begin - hit;
      resident_sectors_ += last - first + 1 - count(found);
      node.valid |= asked;
      if (!access.write && access.fill.number != 0) {
        node.filling |= asked & ~found;
        node.fill = access.fill;
      }
    }
    if (access.write) {
      if (node.dirty == 0) dirty_blocks_.push_back(node.block);
      dirty_sectors_ += count(asked & ~node.dirty);
      node.dirty |= asked;
      node.filling &= ~asked;
    }
    while (resident_sectors_ > capacity_sectors_) {
      evict_oldest(result);
      if (dirty_sectors_ > dirty_limit_) clean_oldest(result);
    }
    begin = piece_end;
  }
}

std::uint32_t L2Cache::touch(std::uint32_t block) {
  if (block >= node_of_block_.size()) {
    node_of_block_.resize(std::max<std::size_t>(block + std::size_t{1}, node_of_block_.size() * 2), kNone);
  }
  std::uint32_t node = node_of_block_[block];
  if (node == newest_ && node != kNone) return node;
  if (node != kNone) {
    unlink(node);
  } else if (free_nodes_.empty()) {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    node = free_nodes_.back();
    free_nodes_.pop_back();
  }
  node_of_block_[block] = node;
  nodes_[node].block = block;
  push_newest(node);
  return node;
}

void L2Cache::unlink(std::uint32_t node) {
  const Node& n = nodes_[node];
  (n.newer == kNone ? newest_ : nodes_[n.newer].older) = n.older;
  (n.older == kNone ? oldest_ : nodes_[n.older].newer) = n.newer;
}

void L2Cache::push_newest(std::uint32_t node) {
  nodes_[node].newer = kNone;
  nodes_[node].older = newest_;
  (newest_ == kNone ? oldest_ : nodes_[newest_].newer) = node;
  newest_ = node;
}

void L2Cache::evict_oldest(L2Access& result) {
  const std::uint32_t node = oldest_;
  unlink(node);
  Node& n = nodes_[node];
  const std::uint64_t dirty = count(n.dirty);
  dirty_sectors_ -= dirty;
  result.written_back += dirty << sector_shift_;
  // The queue of dirty blocks begins with one that is dirty.
  n.dirty = 0;
  while (dirty != 0 && !dirty_blocks_.empty() && !is_dirty(dirty_blocks_.front())) dirty_blocks_.pop_front();
  resident_sectors_ -= count(n.valid);
  node_of_block_[n.block] = kNone;
  n = Node{};
  free_nodes_.push_back(node);
}

bool L2Cache::is_dirty(std::uint32_t block) const {
  const std::uint32_t node = node_of_block_[block];
  return node != kNone && nodes_[node].dirty != 0;
}

/// Blocks that have left or are clean again stay in the queue until they come to its front.
void L2Cache::clean_oldest(L2Access& result) {
  while (!is_dirty(dirty_blocks_.front())) dirty_blocks_.pop_front();
  Node& n = nodes_[node_of_block_[dirty_blocks_.front()]];
  dirty_blocks_.pop_front();
  const std::uint64_t sectors = count(n.dirty);
  n.dirty = 0;
  dirty_sectors_ -= sectors;
  result.written_back += sectors << sector_shift_;
}

}  // namespace npu::model
