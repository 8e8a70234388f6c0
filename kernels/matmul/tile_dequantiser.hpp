// The vector half of an int8 product: int32 tiles times row and column scales.
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// y[r, c] = (f32) acc[r, c] * x_scale[r] * w_scale[c], in this order, f32 or rounded to bf16. For vector parts.
///   begin(group, col, cols);  rows(slot, slot_row, region, first, step);
class TileDequantiser {
 public:
  struct Shape {
    std::uint32_t rows;  ///< at a time
    std::uint32_t cols;  ///< of the widest tile
    isa::DType out;
  };
  /// x_scale [M, 1], w_scale [groups, N], y [M, N].
  TileDequantiser(isa::PartBuilder& part, const Shape& shape, isa::GmTensor x_scale, isa::GmTensor w_scale,
                  isa::GmTensor y);

  /// Loads the scales of columns [col, col + cols) of a group.
  void begin(const isa::Value& group, const isa::Value& col, const isa::Value& cols);
  /// Where a tile belongs in y.
  struct Region {
    const isa::Value row, rows, col, cols;
  };
  /// Rows first, first + step, ... of the tile that starts at `slot_row` of `slot`, Shape::rows of each.
  void rows(const isa::GmTensor& slot, const isa::Reg& slot_row, const Region& region, const isa::Value& first,
            std::uint32_t step);

 private:
  isa::PartBuilder& part_;
  Shape shape_;
  isa::GmTensor x_scale_, w_scale_, y_;
  isa::Tile column_scale_;
  isa::Ring& load_;  ///< [0] accumulators, [1] row scales
  isa::Tile value_;
  isa::Ring& store_;
};

}  // namespace npu::kernels
