// Row-wise symmetric int8 quantisation of fp32 tiles (decode-layer.md S2.4), emitted into a vector part.
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// amax = max(|row|, 1e-4), s = (1 / amax) * 127, q = i8(f16(rint(row * s))), dequantisation scale 1 / s. Both steps of
/// s round to fp32: the reference divides a number by a tensor, which torch evaluates as reciprocal times number; with
/// 127 / amax, elements at amax / 2 fall on the other side of 63.5 in some rows.
/// A row may be wider than a tile: scan() all of its pieces, finish(), then quantise() all of them.
///   begin(rows); scan(x)...; finish(scale); quantise(x, out)...;
class RowQuantiser {
 public:
  /// Allocates scratch for pieces of at most [max_rows, max_cols].
  RowQuantiser(isa::PartBuilder& part, std::uint32_t max_rows, std::uint32_t max_cols);
  /// UB of the scratch tiles per element of a piece.
  static constexpr std::uint32_t kBytesPerElement = 4 + 2;

  /// New rows: their maximum starts at the lower clamp.
  void begin(const isa::Value& rows);
  /// Takes a piece x [rows, cols] f32 into the row maxima.
  void scan(const isa::Tile& x, const isa::Value& rows, const isa::Value& cols);
  /// The maxima are complete: writes the dequantisation scales [rows, 1] f32.
  void finish(const isa::Tile& scale, const isa::Value& rows);
  /// out [rows, cols] i8 from x [rows, cols] f32.
  void quantise(const isa::Tile& out, const isa::Tile& x, const isa::Value& rows, const isa::Value& cols);

 private:
  isa::PartBuilder& part_;
  bool tall_;              ///< many rows: the maxima of the transposed columns cost less than row maxima
  isa::Tile real_, half_;  ///< [max_rows, max_cols] f32 (and i32), f16
  isa::Tile largest_, piece_, multiplier_;  ///< [max_rows, 1] f32
};

}  // namespace npu::kernels
