// How a vector kernel shares the rows of a tensor: contiguous row groups, one per block, worked on in steps.
#pragma once

#include <algorithm>
#include <cstdint>

#include "isa/arch_spec.hpp"
#include "isa/builder/part_builder.hpp"
#include "isa/units.hpp"
#include "kernels/common/fitting.hpp"

namespace npu::kernels {

struct RowSplit {
  std::uint32_t rows;       ///< of the tensor
  std::uint32_t per_block;  ///< rows of a block; the last block may have fewer
  std::uint32_t step;       ///< rows that a block works on at a time
  [[nodiscard]] std::uint32_t blocks() const { return static_cast<std::uint32_t>(isa::ceil_div(rows, per_block)); }

  [[nodiscard]] PlanFields fields(const isa::ArchSpec&) {
    return {{"rows_per_block", "rows", "of the tensor that a block works on", &per_block, 1, rows},
            {"step", "rows", "that a block works on at a time", &step, 1, per_block}};
  }
  [[nodiscard]] bool shrink(const isa::ArchSpec&, const isa::CapacityError&) { return halve(step); }

  /// In a block: `body(row, n)` for every step, n rows from `row` on.
  template <class Body>
  void for_each_step(isa::PartBuilder& p, const Body& body) const {
    const isa::Reg first = p.block_index() * per_block;
    const isa::Reg last = min(first + per_block, p.imm(rows));
    p.for_range(first, last, step, [&](const isa::Reg& row) {
      const isa::Reg n = min(last - row, step);
      body(row, n);
    });
  }
};

/// Bytes of UB beside `fixed` ones; 0 where those alone do not fit. A plan then takes its smallest step, which the
/// builder refuses with the memory map.
[[nodiscard]] inline std::uint32_t ub_beside(const isa::ArchSpec& arch, std::uint32_t fixed) {
  const auto capacity = static_cast<std::uint32_t>(arch.buffer(isa::Space::UB).capacity.count());
  return capacity > fixed ? capacity - fixed : 0;
}

/// Spreads `rows` over `cores`; a step is at most `max_step` rows of `row_bytes` of UB each within `budget` bytes.
[[nodiscard]] inline RowSplit split_rows(std::uint32_t rows, std::uint32_t cores, std::uint32_t max_step,
                                         std::uint32_t row_bytes, std::uint32_t budget) {
  const auto per_block = static_cast<std::uint32_t>(isa::ceil_div(rows, cores));
  const std::uint32_t fitting = std::max(1U, budget / row_bytes);
  return {rows, per_block, std::min({per_block, max_step, fitting})};
}

inline constexpr std::uint32_t kChunkGranule = 64;  ///< columns

/// Columns of a chunk, in whole granules where the row is longer than one chunk, whose bytes fit `budget`.
[[nodiscard]] inline std::uint32_t chunk_columns(std::uint32_t cols, std::uint32_t bytes_per_column,
                                                 std::uint32_t budget) {
  const std::uint32_t fitting = std::max(kChunkGranule, budget / bytes_per_column / kChunkGranule * kChunkGranule);
  return std::min(cols, fitting);
}

}  // namespace npu::kernels
