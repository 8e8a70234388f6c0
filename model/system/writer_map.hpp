// Who last wrote each byte of global memory, as far as that task is still alive: disjoint intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace npu::model {

/// Overlap is decided on bytes, exactly: regions that touch without sharing a byte are independent.
class WriterMap {
 public:
  /// Appends the writers of [begin, end), possibly repeated, in address order.
  void collect(std::uint64_t begin, std::uint64_t end, std::vector<std::uint32_t>& writers) const;
  /// `writer` becomes the last writer of [begin, end); older intervals are cut to what remains of them.
  void assign(std::uint64_t begin, std::uint64_t end, std::uint32_t writer);
  /// Forgets `writer` inside [begin, end).
  void retire(std::uint64_t begin, std::uint64_t end, std::uint32_t writer);
  [[nodiscard]] std::size_t size() const { return intervals_.size(); }
  void clear() { intervals_.clear(); }

 private:
  struct Interval {
    std::uint64_t end;
    std::uint32_t writer;
  };
  using Map = std::map<std::uint64_t, Interval>;

  /// First interval that ends after `begin`.
  [[nodiscard]] Map::const_iterator first_after(std::uint64_t begin) const;
  /// Makes `at` a boundary of the interval that contains it.
  void split(std::uint64_t at);

  Map intervals_;  ///< by first byte
};

}  // namespace npu::model
