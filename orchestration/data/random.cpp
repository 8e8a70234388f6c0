#include "orchestration/data/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "orchestration/data/host_math.hpp"

namespace npu::orch {
namespace {

constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;

/// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

double density(double z) { return 0.39894228040143267794 * exp_f64(-0.5 * z * z); }

/// P(0 < Z < z): density(z) * (z + z^3/3 + z^5/(3*5) + ...), all terms positive.
double half_probability(double z) {
  double term = z;
  double sum = z;
  for (int n = 3; term > sum * 1e-17; n += 2) {
    term *= z * z / n;
    sum += term;
  }
  return density(z) * sum;
}

/// Newton's method from one quantile to the next.
std::vector<double> make_magnitudes() {
  std::vector<double> magnitudes(kMagnitudes);
  double z = 0.0;
  for (std::size_t i = 0; i < kMagnitudes; ++i) {
    const double p = (static_cast<double>(i) + 0.5) / (2.0 * kMagnitudes);
    double step = 1.0;
    for (int iteration = 0; std::abs(step) > 1e-9 && iteration < 20; ++iteration) {
      step = (p - half_probability(z)) / density(z);
      z += step;
    }
    magnitudes[i] = z;
  }
  return magnitudes;
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view tensor, std::uint32_t rank)
    : key_{mix_bits(mix_bits(mix_bits(seed + kGoldenRatio) ^ hash_of(tensor)) + rank)} {}

void RandomStream::fill(std::uint64_t first, std::span<std::uint16_t> out) const {
  const auto word = [this](std::uint64_t index) { return mix_bits(key_ + (index + 1) * kGoldenRatio); };
  const auto lane = [](std::uint64_t w, std::uint64_t i) { return static_cast<std::uint16_t>(w >> (16U * (i % 4U))); };
  std::size_t i = 0;
  for (; i < out.size() && (first + i) % 4 != 0; ++i) out[i] = lane(word((first + i) / 4), first + i);
  for (std::uint64_t w = (first + i) / 4; i + 4 <= out.size(); i += 4, ++w) {
    const std::uint64_t bits = word(w);
    out[i] = lane(bits, 0);
    out[i + 1] = lane(bits, 1);
    out[i + 2] = lane(bits, 2);
    out[i + 3] = lane(bits, 3);
  }
  for (; i < out.size(); ++i) out[i] = lane(word((first + i) / 4), first + i);
}

std::span<const double> normal_magnitudes() {
  static const std::vector<double> kTable = make_magnitudes();
  return kTable;
}

std::vector<float> scaled_magnitudes(double gain) {
  std::vector<float> scaled(kMagnitudes);
  std::transform(normal_magnitudes().begin(), normal_magnitudes().end(), scaled.begin(),
                 [gain](double z) { return static_cast<float>(z * gain); });
  return scaled;
}

std::vector<std::uint16_t> scaled_magnitudes_bf16(double gain) {
  const auto scaled = scaled_magnitudes(gain);
  std::vector<std::uint16_t> bits(kMagnitudes);
  std::transform(scaled.begin(), scaled.end(), bits.begin(), [](float x) { return finite_to_bf16(x).bits; });
  return bits;
}

}  // namespace npu::orch
