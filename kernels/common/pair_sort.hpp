// Rows of (value, index) pairs in descending order of the value, equal values in ascending order of the index.
#pragma once

#include <array>
#include <cstdint>

#include "isa/builder/part_builder.hpp"
#include "isa/units.hpp"

namespace npu::kernels {

/// Sorts runs of 32 pairs, then merges four runs at a time until one is left. For vector parts.
///   sort(value, index, rows, cols); take_indices(dst, rows, count);
class PairSort {
 public:
  static constexpr std::uint32_t kRun = 32;  ///< rows are whole runs; padding takes kLast and an index of its own
  static constexpr double kLast = -3.4028234663852886e38;  ///< a value that sorts after every other finite one

  /// Columns of a row that holds `entries` entries.
  [[nodiscard]] static std::uint32_t padded(std::uint32_t entries) {
    return static_cast<std::uint32_t>(isa::round_up(entries, kRun));
  }
  /// UB of the pairs of a row of `width` columns.
  [[nodiscard]] static std::uint32_t row_bytes(std::uint32_t width) { return 2 * 2 * 4 * width; }

  /// Allocates the pairs of at most [rows, width]; width in whole runs.
  PairSort(isa::PartBuilder& part, std::uint32_t rows, std::uint32_t width);

  /// Sorts value [rows, cols] f32 with index [rows, cols] i32; cols in whole runs, at most the width.
  void sort(const isa::Tile& value, const isa::Tile& index, const isa::Value& rows, const isa::Value& cols);
  /// dst [rows, count] i32 = indices of the first pairs of every sorted row; count at most the sorted columns.
  void take_indices(const isa::Tile& dst, const isa::Value& rows, const isa::Value& count);
  /// dst [rows, count] f32 = values of the same pairs.
  void take_values(const isa::Tile& dst, const isa::Value& rows, const isa::Value& count);

 private:
  isa::PartBuilder& part_;
  std::uint32_t width_;
  std::array<isa::Tile, 2> pairs_;  ///< [rows, 2 * width] f32: value, bits of the index
  std::size_t sorted_ = 0;          ///< which of the two holds the result
};

}  // namespace npu::kernels
