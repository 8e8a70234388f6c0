// Attention norm, queries and the new KV row (decode-layer.md S3.3, S3.4).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

/// bf16((x * rms(x)) * weight), row by row: x and out [rows, D], weight [D]; rows = x.size() / D.
void rmsnorm(const LayerConfig& config, std::span<const isa::Bf16> x, std::span<const float> weight,
             std::span<isa::Bf16> out, unsigned threads = 1);

struct QLatentIn {
  std::span<const isa::Bf16> x_normed;  ///< [T, D]
  std::span<const isa::Bf16> wq_a;      ///< [D, ql]
  std::span<const isa::Bf16> gamma_cq;  ///< [ql]
};
struct QLatentOut {
  std::span<std::int8_t> qr;  ///< [T, ql]
  std::span<float> qr_scale;  ///< [T]
};
void q_latent(const LayerConfig& config, const QLatentIn& in, const QLatentOut& out, unsigned threads = 1);

struct QHeadsIn {
  std::span<const std::int8_t> qr;      ///< [T, ql]
  std::span<const float> qr_scale;      ///< [T]
  std::span<const std::int8_t> wq_b;    ///< [ql, H*hd]
  std::span<const float> wq_b_scale;    ///< [H*hd]
  std::span<const isa::Bf16> cos, sin;  ///< [T, rd], rope rows of the tokens
};
/// q [T, H, hd]. Golden scales by the head's factor, then rotates; Device rotates first.
void q_heads(const LayerConfig& config, Numerics numerics, const QHeadsIn& in, std::span<isa::Bf16> q,
             unsigned threads = 1);

struct KvRowIn {
  std::span<const isa::Bf16> x_normed;   ///< [T, D]
  std::span<const isa::Bf16> wkv;        ///< [D, hd]
  std::span<const isa::Bf16> gamma_ckv;  ///< [hd]
  std::span<const isa::Bf16> cos, sin;   ///< [T, rd]
};
/// kv [T, hd], key and value of the step's tokens.
void kv_row(const LayerConfig& config, const KvRowIn& in, std::span<isa::Bf16> kv, unsigned threads = 1);

}  // namespace npu::kernels::reference
