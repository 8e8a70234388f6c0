// Row-wise int8 quantisation on a vector core (decode-layer.md S2.4).
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

class RowQuantiser {
 public:
  /// Allocates the scratch for tiles of up to rows x cols.
  RowQuantiser(isa::PartBuilder& part, std::uint32_t rows, std::uint32_t cols);
  /// UB bytes of the scratch for one element of a tile.
  static constexpr std::uint32_t kScratchBytes = 6;

  /// Per row of x [n, cols] f32: amax = max(|row|), at least 1e-4; s = 127 / amax; q [n, cols] i8 = rint(row * s);
  /// scale [n, 1] f32 = 1 / s.
  void emit(const isa::Tile& x, const isa::Tile& q, const isa::Tile& scale, const isa::Value& n) const;

 private:
  isa::PartBuilder& part_;
  std::uint32_t cols_;
  isa::Tile wide_, half_;  ///< [rows, cols] f32 and f16
  isa::Tile factor_;       ///< [rows, 1]
};

}  // namespace npu::kernels
