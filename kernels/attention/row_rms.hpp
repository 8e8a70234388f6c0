// RMS factor of the rows of an fp32 tile (decode-layer.md S2.6), emitted into a vector part.
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

class RowRms {
 public:
  /// Allocates scratch for [max_rows, cols].
  RowRms(isa::PartBuilder& part, std::uint32_t max_rows, std::uint32_t cols, float eps);
  /// 1 / sqrt(sum(x^2) * (1 / cols) + eps) of x [rows, cols] f32: a column [rows, 1] that the next call overwrites.
  [[nodiscard]] isa::Tile factor(const isa::Tile& x, const isa::Value& rows);

 private:
  isa::PartBuilder& part_;
  std::uint32_t cols_;
  float eps_;
  isa::Tile square_;        ///< [max_rows, cols] f32
  isa::Tile sum_, factor_;  ///< [max_rows, 1] f32
};

}  // namespace npu::kernels
