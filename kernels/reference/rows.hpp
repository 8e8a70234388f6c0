// What several stages do to a row of numbers (decode-layer.md S2, S3.1) and how they find a row in a paged pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "isa/numerics/numerics.hpp"

namespace npu::kernels::reference {

[[nodiscard]] std::vector<float> widen(std::span<const isa::Bf16> row);
/// Row-wise narrowing; ties to even (Rint) or away from zero (Round).
void narrow(std::span<const float> row, std::span<isa::Bf16> out, isa::RoundMode mode = isa::RoundMode::Rint);

/// Sum of a row in double, rounded once.
[[nodiscard]] float sum_of(std::span<const float> row);
/// mean(row^2) + eps in fp32, the mean as sum * (1/n) (S2.6).
[[nodiscard]] float mean_square(std::span<const float> row, float eps);
/// 1 / sqrt(mean_square).
[[nodiscard]] float rms_factor(std::span<const float> row, float eps);
[[nodiscard]] float sigmoid(float x);

/// Q(row) of S2.4: writes the int8 values, returns the dequantisation scale.
float quantise(std::span<const float> row, std::span<std::int8_t> out);
/// ((fp32)acc * row_scale) * column_scale (S2.5).
[[nodiscard]] inline float dequantise(std::int32_t acc, float row_scale, float column_scale) {
  return static_cast<float>(acc) * row_scale * column_scale;
}

enum class Turn : std::uint8_t { Forward, Inverse };
/// Turns interleaved pairs (2i, 2i+1) in place by the angle of column i; cos and sin are rows of the rope tables, of
/// which the first half is read (S3.1).
void rotate(std::span<float> pairs, std::span<const isa::Bf16> cos, std::span<const isa::Bf16> sin,
            Turn turn = Turn::Forward);

/// Picks rows of a rope table [max_positions, rope_dim]. Throws ConfigError if a position lies outside the table.
[[nodiscard]] std::vector<isa::Bf16> rope_rows(std::span<const isa::Bf16> table, std::size_t rope_dim,
                                               std::span<const std::int32_t> positions);

/// Logical positions of a request in a pool of pages.
struct PagedRows {
  std::span<const std::int32_t> table;  ///< [requests, table.size() / requests] page numbers
  std::size_t requests = 1;
  std::size_t page = 1;       ///< rows of a page
  std::size_t pool_rows = 0;  ///< rows of the pool
  std::string_view name;      ///< tensor name for messages

  /// Flat row of `position`. Throws ConfigError if the table has no such entry or it names a page outside the pool.
  [[nodiscard]] std::size_t row(std::size_t request, std::size_t position) const;
};

/// Flat row from a slot mapping (>= 0). Throws ConfigError naming `name` if it lies outside the pool.
[[nodiscard]] std::size_t checked_slot(std::int64_t slot, std::size_t pool_rows, std::string_view name);

}  // namespace npu::kernels::reference
