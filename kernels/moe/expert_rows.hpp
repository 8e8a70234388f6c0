// Which rows the experts of a card have, and how the work on them is dealt to the blocks of a task.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "isa/arch_spec.hpp"
#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// Row e * limit + i of a row tensor is row i of expert e.
struct ExpertRows {
  std::uint32_t experts;
  std::uint32_t limit;                       ///< rows reserved for each expert
  std::optional<isa::TensorArgument> count;  ///< [experts, 1] i32: rows in use; without it all of them are

  /// The widest column tile of up to `widest` that divides `cols` and still gives every cluster one; at least a
  /// fractal. Throws ProgramError, naming the kernel, if the columns are not made of whole fractals.
  [[nodiscard]] std::uint32_t tile_columns(std::string_view kernel, std::uint32_t cols, std::uint32_t widest,
                                           const isa::ArchSpec& arch) const;

  using ItemsOf = std::function<isa::Reg(const isa::Reg& rows)>;
  using Body = std::function<void(const isa::Reg& expert, const isa::Reg& rows, const isa::Reg& item)>;
  /// Numbers the work items of all experts consecutively, `items_of` per expert, and runs the body for every
  /// `blocks`-th of them from the block's own index on. Experts without rows take no number, so that the blocks share
  /// the work evenly whichever experts are in use. Counts beyond the limit are cut: rows of the next expert stay
  /// untouched.
  void for_each_item(isa::PartBuilder& part, std::uint32_t blocks, const ItemsOf& items_of, const Body& body) const;

  using TileBody =
      std::function<void(const isa::Reg& expert, const isa::Reg& row, const isa::Reg& rows, const isa::Reg& col)>;
  /// Deals column tiles of `tile_cols` out of `cols` columns; the body runs for each row tile of up to `tile_rows`
  /// rows: `row` is its first row in the tensor, `col` the first column.
  void for_each_tile(isa::PartBuilder& part, std::uint32_t blocks, std::uint32_t tile_rows, std::uint32_t cols,
                     std::uint32_t tile_cols, const TileBody& body) const;
};

}  // namespace npu::kernels
