// KV compressors: windows of `ratio` positions become one row of the compressed cache (decode-layer.md S4).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/compressor_shape.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

struct CompressorIn {
  std::span<const isa::Bf16> x_normed;        ///< [T, D]
  std::span<const isa::Bf16> wkv, wgate;      ///< [D, o]
  std::span<const float> ape;                 ///< [ratio, o]
  std::span<const float> norm_w;              ///< [h]
  std::span<const isa::Bf16> hadamard;        ///< [h, h]; empty for a main compressor
  std::span<const isa::Bf16> cos, sin;        ///< [B, rd], the angle of each request's new row
  std::span<const std::int32_t> positions;    ///< [T]
  std::span<const std::int32_t> state_table;  ///< [B, pages]
  std::span<const std::int64_t> state_slots;  ///< [T], -1: do not write
  std::span<const std::int64_t> cache_slots;  ///< [T], -1: do not write
};
struct CompressorOut {
  std::span<float> state;      ///< [rows, 2*o], updated in place: kv part, score part
  std::span<isa::Bf16> cache;  ///< [rows, h], updated in place
  std::span<float> row;        ///< [B, S, h]: the new row at s = 0, zero elsewhere
};
/// Golden takes a plain softmax over the window. Device folds the rows of an overlapping window into a running maximum
/// and sum, from the last position, then the older window, then the rest; rows that were never written (score -inf)
/// have weight 0 in both. Throws ConfigError for a table entry or slot outside its pool.
void compressor(const LayerConfig& config, Numerics numerics, const CompressorShape& shape, const CompressorIn& in,
                const CompressorOut& out, unsigned threads = 1);

}  // namespace npu::kernels::reference
