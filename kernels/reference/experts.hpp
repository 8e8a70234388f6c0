// Router and experts (decode-layer.md S8.1, S8.2).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

struct GateIn {
  std::span<const isa::Bf16> x_mixed;       ///< [T, D]
  std::span<const float> norm_w;            ///< [D]
  std::span<const float> gate_w;            ///< [E, D]
  std::span<const float> gate_bias;         ///< [E], read by score routing
  std::span<const std::int32_t> tid2eid;    ///< [V, KE], read by hash routing
  std::span<const std::int64_t> input_ids;  ///< [T], read by hash routing
};
struct GateOut {
  std::span<isa::Bf16> x_norm;       ///< [T, D]
  std::span<std::int8_t> x_norm_i8;  ///< [T, D], the form in which tokens reach experts
  std::span<float> x_norm_scale;     ///< [T]
  std::span<std::int32_t> indices;   ///< [T, KE], experts of all ranks
  std::span<float> weights;          ///< [T, KE]
};
/// Layers below hash_layers route by token id, the others by score + bias with ties to the smaller expert. The same in
/// both numerics. Throws ConfigError for a token id or an expert outside the model.
void gate(const LayerConfig& config, const GateIn& in, const GateOut& out, unsigned threads = 1);

/// One expert, or several one after the other ([EL] in front).
struct ExpertWeights {
  std::span<const std::int8_t> w1, w3;        ///< [MI, D]
  std::span<const std::int8_t> w2;            ///< [D, MI]
  std::span<const float> w1_scale, w3_scale;  ///< [MI]
  std::span<const float> w2_scale;            ///< [D]
};

struct ExpertIn {
  std::span<const std::int8_t> x;     ///< [rows, D]
  std::span<const float> x_scale;     ///< [rows]
  std::span<const float> row_weight;  ///< [rows]; empty for the shared expert
  ExpertWeights weights;
};
/// y [rows, D]. Golden multiplies dequantised operands in fp32 and applies the route weight last; Device multiplies
/// int8 exactly, dequantises after and folds the route weight into the row scale.
void expert(const LayerConfig& config, Numerics numerics, const ExpertIn& in, std::span<isa::Bf16> y,
            unsigned threads = 1);

struct RoutedExpertsIn {
  std::span<const std::int8_t> recv_x;       ///< [EL, RECV_MAX, D]
  std::span<const float> recv_scale;         ///< [EL, RECV_MAX]
  std::span<const float> recv_w;             ///< [EL, RECV_MAX]
  std::span<const std::int32_t> recv_count;  ///< [EL], rows of each expert that hold data
  ExpertWeights weights;                     ///< of all EL experts
};
/// recv_y [EL, RECV_MAX, D]; rows from recv_count on are zero.
void routed_experts(const LayerConfig& config, Numerics numerics, const RoutedExpertsIn& in,
                    std::span<isa::Bf16> recv_y, unsigned threads = 1);

}  // namespace npu::kernels::reference
