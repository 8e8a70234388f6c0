// Hyper-connections: how the residual stack of M rows per token enters and leaves a half layer (decode-layer.md S3.2,
// S9), and the model.
#pragma once

#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

struct HcPreIn {
  std::span<const isa::Bf16> x;  ///< [T, M, D]
  std::span<const float> fn;     ///< [X, M*D]
  std::span<const float> scale;  ///< [3]: pre, post, comb
  std::span<const float> base;   ///< [X]
};
struct HcPreOut {
  std::span<isa::Bf16> x_mixed;  ///< [T, D]
  std::span<float> post;         ///< [T, M]
  std::span<float> comb;         ///< [T, M, M]: in, out
};
/// x_mixed rounds away from zero on ties and sums left to right (Golden), to even and in pairs (Device).
void hc_pre(const LayerConfig& config, Numerics numerics, const HcPreIn& in, const HcPreOut& out, unsigned threads = 1);

struct HcPostIn {
  std::span<const isa::Bf16> y;  ///< [T, D], attention or expert output
  std::span<const isa::Bf16> x;  ///< [T, M, D], the stack that went into hc_pre
  std::span<const float> post;   ///< [T, M]
  std::span<const float> comb;   ///< [T, M, M]
};
/// out [T, M, D]; the same in both numerics.
void hc_post(const LayerConfig& config, const HcPostIn& in, std::span<isa::Bf16> out, unsigned threads = 1);

struct HcHeadIn {
  std::span<const isa::Bf16> x;  ///< [T, M, D], the stack after the last layer
  std::span<const float> fn;     ///< [M, M*D]
  std::span<const float> scale;  ///< [1]
  std::span<const float> base;   ///< [M]
};
/// out [T, D]: the stack mixed as hc_pre mixes it (S3.2), with factors of its own; no post, comb or Sinkhorn.
void hc_head(const LayerConfig& config, Numerics numerics, const HcHeadIn& in, std::span<isa::Bf16> out,
             unsigned threads = 1);

}  // namespace npu::kernels::reference
