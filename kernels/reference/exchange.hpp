// Rows on their way to experts and back, over all ranks at once (decode-layer.md S8.3, S8.4).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels::reference {

/// What one rank sends: gate's output.
struct DispatchIn {
  std::span<const std::int8_t> x_norm_i8;  ///< [T, D]
  std::span<const float> x_norm_scale;     ///< [T]
  std::span<const std::int32_t> indices;   ///< [T, KE]
  std::span<const float> weights;          ///< [T, KE]
};
/// What one rank receives. Rows of an expert are ordered by (source rank, token, k); rows from recv_count on are 0
/// (recv_source -1).
struct DispatchOut {
  std::span<std::int8_t> recv_x;        ///< [EL, RECV_MAX, D]
  std::span<float> recv_scale;          ///< [EL, RECV_MAX]
  std::span<float> recv_w;              ///< [EL, RECV_MAX]
  std::span<std::int32_t> recv_route;   ///< [EL, RECV_MAX], t*KE + k on the source rank
  std::span<std::int32_t> recv_source;  ///< [EL, RECV_MAX], source rank
  std::span<std::int32_t> recv_count;   ///< [EL]
};
/// One element per rank. Throws ConfigError naming rank, expert and limit if an expert gets more than RECV_MAX rows.
void dispatch(const LayerConfig& config, std::span<const DispatchIn> in, std::span<const DispatchOut> out);

/// Result rows of one rank's experts and where they belong.
struct ReturnIn {
  std::span<const isa::Bf16> recv_y;          ///< [EL, RECV_MAX, D]
  std::span<const std::int32_t> recv_route;   ///< [EL, RECV_MAX]
  std::span<const std::int32_t> recv_source;  ///< [EL, RECV_MAX]
  std::span<const std::int32_t> recv_count;   ///< [EL]
};
/// Row r_route of the source rank's routed_y [T*KE, D] := recv_y row. One element per rank on both sides.
void return_rows(const LayerConfig& config, std::span<const ReturnIn> in,
                 std::span<const std::span<isa::Bf16>> routed_y);

/// ffn_out [T, D] = bf16(shared [T, D] + routed_y rows of the token in order of k), summed in fp32.
void combine(const LayerConfig& config, std::span<const isa::Bf16> shared, std::span<const isa::Bf16> routed_y,
             std::span<isa::Bf16> ffn_out);

}  // namespace npu::kernels::reference
