#include "orchestration/data/rope_tables.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "orchestration/data/host_math.hpp"
#include "orchestration/data/random.hpp"

namespace npu::orch {
namespace {

using kernels::LayerConfig;

/// Pair index (not rounded) whose wave turns `rotations` times over the original length.
double pair_of(const LayerConfig& c, double rotations) {
  constexpr double kTwoPi = 6.283185307179586476925;
  return c.rope_dim * log_f64(c.original_positions / (rotations * kTwoPi)) /
         (2.0 * log_f64(static_cast<double>(c.compress_rope_theta)));
}

/// YaRN: slow waves are divided by the factor, fast ones kept, with a ramp between.
void interpolate(const LayerConfig& c, std::vector<float>& frequencies) {
  const double low = std::max(std::floor(pair_of(c, c.beta_fast)), 0.0);
  const double high = std::min(std::ceil(pair_of(c, c.beta_slow)), c.rope_dim - 1.0);
  const auto span = static_cast<float>((low == high ? high + 0.001 : high) - low);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float ramp = std::clamp((static_cast<float>(i) - static_cast<float>(low)) / span, 0.0F, 1.0F);
    const float keep = 1.0F - ramp;
    frequencies[i] = frequencies[i] / c.rope_factor * (1.0F - keep) + frequencies[i] * keep;
  }
}

std::vector<float> frequencies_of(const LayerConfig& c, std::uint32_t ratio) {
  const float base = ratio == 0 ? c.rope_theta : c.compress_rope_theta;
  const double log_base = log_f64(static_cast<double>(base));
  std::vector<float> frequencies(c.rope_dim / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(c.rope_dim);
    frequencies[i] = 1.0F / static_cast<float>(exp_f64(static_cast<double>(exponent) * log_base));
  }
  if (ratio != 0) interpolate(c, frequencies);
  return frequencies;
}

}  // namespace

RopeTables rope_tables(const LayerConfig& config, std::uint32_t ratio, std::size_t first) {
  const Shape shape{config.max_positions, config.rope_dim};
  RopeTables tables{Tensor::zeros("freqs_cos", isa::DType::BF16, shape),
                    Tensor::zeros("freqs_sin", isa::DType::BF16, shape)};
  const auto frequencies = frequencies_of(config, ratio);
  const std::size_t pairs = frequencies.size();
  auto cos = tables.cos.writable<isa::Bf16>();
  auto sin = tables.sin.writable<isa::Bf16>();
  for (std::size_t p = first; p < config.max_positions; ++p) {
    for (std::size_t i = 0; i < pairs; ++i) {
      const float angle = static_cast<float>(p) * frequencies[i];
      const SinCos value = sin_cos_f64(static_cast<double>(angle));
      const std::size_t at = p * config.rope_dim + i;
      cos[at] = cos[at + pairs] = finite_to_bf16(static_cast<float>(value.cos));
      sin[at] = sin[at + pairs] = finite_to_bf16(static_cast<float>(value.sin));
    }
  }
  return tables;
}

}  // namespace npu::orch
