// Rotary position embedding of rows that belong to one token (decode-layer.md S3.1): heads of a query, the KV row.
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// Forward rotates by the token's angle, Inverse by its negative (-sin).
enum class RopeTurn : std::uint8_t { Forward, Inverse };

/// Where the angles lie: position_ids [T, 1] i32, tables [L, rope_dim] bf16.
struct RopeArguments {
  isa::TensorArgument position_ids, freqs_cos, freqs_sin;
};

/// y[2i] = x[2i] cos[i] - x[2i+1] sin[i], y[2i+1] = x[2i] sin[i] + x[2i+1] cos[i], in fp32, computed as
/// x * cos[c/2] + x[c^1] * (+-sin[c/2]) over whole rows: the same products and sums. For vector parts.
class Rope {
 public:
  /// Allocates UB for at most `max_rows` rows at a time and emits the index and sign rows.
  Rope(isa::PartBuilder& part, const RopeArguments& arguments, std::uint32_t rope_dim, std::uint32_t max_rows,
       RopeTurn turn);
  /// UB that an object occupies per row, and once.
  [[nodiscard]] static std::uint32_t bytes_per_row(std::uint32_t rope_dim) { return 2 * 4 * rope_dim; }
  [[nodiscard]] static std::uint32_t fixed_bytes(std::uint32_t rope_dim) { return 16 * 4 * rope_dim; }

  /// Makes `token`'s angle the current one. Loads are double-buffered against the vector pipe.
  void load(const isa::Reg& token);
  /// The same for the angle of a position.
  void load_position(const isa::Reg& position);
  /// Turns x [rows, rope_dim] f32 in place by the current angle; x may be a view of wider rows.
  void turn(const isa::Tile& x, const isa::Value& rows);

 private:
  void make_patterns(RopeTurn turn);

  isa::PartBuilder& part_;
  std::uint32_t dim_;
  isa::GmTensor positions_, cos_table_, sin_table_;
  isa::Ring& angle_;     ///< [0] cos, [1] sin: [1, dim/2] bf16
  isa::Tile half_;       ///< [1, dim/2] f32, a widened row
  isa::Tile pair_;       ///< [1, dim] i32: c / 2
  isa::Tile neighbour_;  ///< [max_rows, dim] i32: c ^ 1
  isa::Tile sign_;       ///< [1, dim] f32: sign of the sine at column c
  isa::Tile cos_, sin_;  ///< [1, dim] f32 of the current angle, duplicated; the sine signed
  isa::Tile swapped_;    ///< [max_rows, dim] f32
};

}  // namespace npu::kernels
