#include "kernels/reference/rows.hpp"

#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"

namespace npu::kernels::reference {

using isa::Bf16;

std::vector<float> widen(std::span<const Bf16> row) {
  std::vector<float> out(row.size());
  std::transform(row.begin(), row.end(), out.begin(), [](Bf16 x) { return isa::to_float(x); });
  return out;
}

void narrow(std::span<const float> row, std::span<Bf16> out, isa::RoundMode mode) {
  NPU_ASSERT(row.size() == out.size(), "row lengths");
  std::transform(row.begin(), row.end(), out.begin(), [mode](float x) { return isa::to_bf16(x, mode); });
}

float sum_of(std::span<const float> row) {
  double sum = 0;
  for (const float x : row) sum += static_cast<double>(x);
  return static_cast<float>(sum);
}

float mean_square(std::span<const float> row, float eps) {
  double sum = 0;
  for (const float x : row) sum += static_cast<double>(x * x);
  return static_cast<float>(sum) * (1.0F / static_cast<float>(row.size())) + eps;
}

float rms_factor(std::span<const float> row, float eps) { return 1.0F / std::sqrt(mean_square(row, eps)); }

float sigmoid(float x) { return 1.0F / (1.0F + isa::exp_f32(-x)); }

float quantise(std::span<const float> row, std::span<std::int8_t> out) {
  NPU_ASSERT(row.size() == out.size(), "row lengths");
  float largest = 1e-4F;
  for (const float x : row) largest = std::max(largest, std::fabs(x));
  const float scale = 1.0F / largest * 127.0F;  // torch divides a number by a tensor so
  for (std::size_t i = 0; i < row.size(); ++i)
    out[i] = static_cast<std::int8_t>(isa::to_integer(row[i] * scale, isa::RoundMode::Rint, -128, 127));
  return 1.0F / scale;
}

void rotate(std::span<float> pairs, std::span<const Bf16> cos, std::span<const Bf16> sin, Turn turn) {
  NPU_ASSERT(pairs.size() <= cos.size() && pairs.size() <= sin.size(), "a rope row per rotated row");
  for (std::size_t i = 0; i < pairs.size() / 2; ++i) {
    const float c = isa::to_float(cos[i]), positive = isa::to_float(sin[i]);
    const float s = turn == Turn::Forward ? positive : -positive;
    const float even = pairs[2 * i], odd = pairs[2 * i + 1];
    pairs[2 * i] = even * c - odd * s;
    pairs[2 * i + 1] = even * s + odd * c;
  }
}

std::vector<Bf16> rope_rows(std::span<const Bf16> table, std::size_t rope_dim,
                            std::span<const std::int32_t> positions) {
  std::vector<Bf16> out(positions.size() * rope_dim);
  const std::size_t rows = table.size() / rope_dim;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] < 0 || static_cast<std::size_t>(positions[i]) >= rows)
      throw config_error("position_ids[{}] = {} lies outside the rope tables, which have {} rows", i, positions[i],
                         rows);
    const std::size_t position = static_cast<std::size_t>(positions[i]);
    std::copy_n(table.begin() + static_cast<std::ptrdiff_t>(position * rope_dim), rope_dim,
                out.begin() + static_cast<std::ptrdiff_t>(i * rope_dim));
  }
  return out;
}

std::size_t PagedRows::row(std::size_t request, std::size_t position) const {
  const std::size_t pages = table.size() / requests, index = position / page;
  if (index >= pages)
    throw config_error("{}: position {} of request {} needs page {}, the table has {} per request", name, position,
                       request, index, pages);
  const std::int32_t number = table[request * pages + index];
  const std::size_t limit = pool_rows / page;
  if (number < 0 || static_cast<std::size_t>(number) >= limit)
    throw config_error("{}[{}][{}] = {} names no page of a pool of {}", name, request, index, number, limit);
  return static_cast<std::size_t>(number) * page + position % page;
}

std::size_t checked_slot(std::int64_t slot, std::size_t pool_rows, std::string_view name) {
  if (slot < 0 || static_cast<std::size_t>(slot) >= pool_rows)
    throw config_error("{}: slot {} lies outside a pool of {} rows", name, slot, pool_rows);
  return static_cast<std::size_t>(slot);
}

}  // namespace npu::kernels::reference
