// Configurations and random tensors of the attention kernel tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::test {

/// The smallest layer that has every dimension: 4 heads of 32 columns, 16 of them rotated, a window of 16.
[[nodiscard]] inline kernels::LayerConfig tiny_attention(std::uint32_t batch, std::uint32_t seq) {
  kernels::LayerConfig c;
  c.batch = batch;
  c.seq = seq;
  c.hidden = 64;
  c.heads = 4;
  c.head_dim = 32;
  c.rope_dim = 16;
  c.q_lora = 64;
  c.o_groups = 2;
  c.o_lora = 32;
  c.window = c.page = 16;
  c.max_positions = 128;
  return c;
}

/// Sizes of the published models.
[[nodiscard]] inline kernels::LayerConfig flash_attention() { return {}; }
[[nodiscard]] inline kernels::LayerConfig pro_attention() {
  kernels::LayerConfig c;
  c.hidden = 7168;
  c.heads = 128;
  c.q_lora = 1536;
  c.o_groups = 16;
  return c;
}

class RandomValues {
 public:
  explicit RandomValues(unsigned seed) : generator_{seed} {}
  [[nodiscard]] std::vector<float> floats(std::size_t n, float mean = 0, float deviation = 1) {
    std::normal_distribution<float> normal{mean, deviation};
    std::vector<float> v(n);
    for (float& x : v) x = normal(generator_);
    return v;
  }
  [[nodiscard]] std::vector<isa::Bf16> bf16s(std::size_t n, float mean = 0, float deviation = 1) {
    std::vector<isa::Bf16> v;
    for (const float x : floats(n, mean, deviation)) v.push_back(isa::to_bf16(x));
    return v;
  }
  /// Uniform in [low, high].
  template <class T>
  [[nodiscard]] std::vector<T> integers(std::size_t n, T low, T high) {
    std::uniform_int_distribution<int> uniform{static_cast<int>(low), static_cast<int>(high)};
    std::vector<T> v(n);
    for (T& x : v) x = static_cast<T>(uniform(generator_));
    return v;
  }

 private:
  std::mt19937 generator_;
};

}  // namespace npu::test
