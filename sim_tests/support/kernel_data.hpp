// Inputs for kernel tests: random values of both signs with a few outliers, and a small layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::test {

/// Normal values times `scale`; every 37th is 30 times as large.
[[nodiscard]] inline std::vector<float> random_floats(std::size_t n, unsigned seed, float scale = 1.0F) {
  std::mt19937 generator{seed};
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = normal(generator) * scale * (i % 37 == 36 ? 30.0F : 1.0F);
  return values;
}

[[nodiscard]] inline std::vector<isa::Bf16> random_bf16(std::size_t n, unsigned seed, float scale = 1.0F) {
  std::vector<isa::Bf16> values(n);
  const std::vector<float> wide = random_floats(n, seed, scale);
  for (std::size_t i = 0; i < n; ++i) values[i] = isa::to_bf16(wide[i]);
  return values;
}

/// One token per request; hidden size 256, 8 experts, 3 per token.
[[nodiscard]] inline kernels::LayerConfig tiny_layer(std::uint32_t tokens) {
  kernels::LayerConfig cfg;
  cfg.batch = tokens;
  cfg.seq = 1;
  cfg.hidden = 256;
  cfg.experts = 8;
  cfg.local_experts = 4;
  cfg.top_k = 3;
  cfg.vocab = 64;
  return cfg;
}

}  // namespace npu::test
