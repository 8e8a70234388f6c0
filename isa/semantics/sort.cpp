// TSORT32 and TMRGSORT on rows of (value, index) pairs: value f32, index i32 in the bits of the f32 that follows it.
// Order: larger value first, +0 and -0 equal, NaN last; among equal values the smaller index first, then the earlier.
#include <algorithm>
#include <array>
#include <cstring>

#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

struct PairBits {
  std::uint32_t value, index;
};

// Ascending in the order above: high word from the value, low word from the index.
std::uint64_t sort_key(PairBits p) {
  const std::uint32_t magnitude = p.value & 0x7fffffffU;
  const bool negative = (p.value >> 31) != 0;
  constexpr std::uint32_t kZero = 0x80000000U;
  const std::uint32_t descending = magnitude > 0x7f800000U ? ~0U : (negative ? kZero + magnitude : kZero - magnitude);
  return (std::uint64_t{descending} << 32) | (p.index ^ 0x80000000U);
}

PairBits load_pair(const std::uint32_t* row, std::uint32_t i) { return {row[2 * i], row[2 * i + 1]}; }
void store_pair(std::uint32_t* row, std::uint32_t i, PairBits p) {
  row[2 * i] = p.value;
  row[2 * i + 1] = p.index;
}

// Stable insertion sort: n is at most 32.
void sort_run(const std::uint32_t* values, const std::uint32_t* indices, std::uint32_t n, std::uint32_t* dst) {
  struct Entry {
    std::uint64_t key;
    PairBits pair;
  };
  std::array<Entry, 32> sorted;
  for (std::uint32_t i = 0; i < n; ++i) {
    const PairBits pair{values[i], indices[i]};
    const Entry entry{sort_key(pair), pair};
    std::uint32_t place = i;
    for (; place > 0 && sorted[place - 1].key > entry.key; --place) sorted[place] = sorted[place - 1];
    sorted[place] = entry;
  }
  for (std::uint32_t i = 0; i < n; ++i) store_pair(dst, i, sorted[i].pair);
}

void sort32(const TileView& dst, const TileView& values, const TileView& indices) {
  for (std::uint32_t r = 0; r < values.rows; ++r) {
    for (std::uint32_t c = 0; c < values.cols; c += 32) {
      sort_run(values.line<const std::uint32_t>(r) + c, indices.line<const std::uint32_t>(r) + c,
               std::min(32U, values.cols - c), dst.line<std::uint32_t>(r) + 2 * c);
    }
  }
}

// Merges up to four adjacent runs of `run` pairs in [begin, end).
void merge_group(const std::uint32_t* src, std::uint32_t* dst, std::uint32_t begin, std::uint32_t end,
                 std::uint32_t run) {
  struct Head {
    std::uint64_t key;
    std::uint32_t next, end;
  };
  std::array<Head, 4> heads;
  std::size_t count = 0;
  for (std::uint32_t first = begin; first < end && count < heads.size(); ++count) {
    const std::uint32_t last = end - first < run ? end : first + run;
    heads[count] = {sort_key(load_pair(src, first)), first, last};
    first = last;
  }
  for (std::uint32_t out = begin; out < end; ++out) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < count; ++i) {
      if (heads[i].key < heads[best].key) best = i;
    }
    Head& head = heads[best];
    store_pair(dst, out, load_pair(src, head.next));
    if (++head.next < head.end) {
      head.key = sort_key(load_pair(src, head.next));
    } else {
      std::move(heads.begin() + static_cast<std::ptrdiff_t>(best) + 1,
                heads.begin() + static_cast<std::ptrdiff_t>(count), heads.begin() + static_cast<std::ptrdiff_t>(best));
      --count;
    }
  }
}

void merge(const TileView& dst, const TileView& src, std::int32_t run_length) {
  if (run_length <= 0) throw program_error("tmrgsort: run length of {} pairs (at least 1)", run_length);
  const std::uint32_t pairs = src.cols / 2;
  const std::uint32_t run = std::min(static_cast<std::uint32_t>(run_length), std::max(pairs, 1U));
  for (std::uint32_t r = 0; r < src.rows; ++r) {
    const auto* from = src.line<const std::uint32_t>(r);
    auto* to = dst.line<std::uint32_t>(r);
    for (std::uint64_t begin = 0; begin < pairs; begin += std::uint64_t{4} * run) {
      const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(begin + std::uint64_t{4} * run, pairs));
      merge_group(from, to, static_cast<std::uint32_t>(begin), end, run);
    }
  }
}

}  // namespace

void execute_sort(const Instruction& ins, const Operands& o) {
  if (ins.opcode == Opcode::TSort32) {
    sort32(o.t[0], o.t[1], o.t[2]);
  } else {
    merge(o.t[0], o.t[1], ins.imm);
  }
}

}  // namespace npu::isa
