// Random numbers by counter: the same bits for a seed on every host and for every division of the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "isa/numerics/numerics.hpp"

namespace npu::orch {

/// SplitMix64's output function: a bijection of 64-bit words whose outputs pass as independent.
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// Element i of the stream is lane i % 4 (16 bits, lowest first) of word i / 4; the word is mix_bits of key plus
/// (i / 4 + 1) times the golden ratio, as SplitMix64 counts.
class RandomStream {
 public:
  /// A stream of its own per (seed, tensor, rank).
  RandomStream(std::uint64_t seed, std::string_view tensor, std::uint32_t rank);
  /// Elements [first, first + out.size()).
  void fill(std::uint64_t first, std::span<std::uint16_t> out) const;

 private:
  std::uint64_t key_;
};

/// A standard normal from 16 random bits: bit 15 is the sign, the others choose one of 32768 equally likely magnitudes,
/// the quantiles (32768 + i + 0.5) / 65536 of the distribution. This is an inverse-CDF table of 65536 entries stored by
/// halves, for it is antisymmetric. Magnitudes ascend with i; the largest is 4.17.
inline constexpr std::size_t kMagnitudes = 32768;
[[nodiscard]] std::span<const double> normal_magnitudes();

/// The magnitudes times a gain, as fp32 or rounded once more to bf16.
[[nodiscard]] std::vector<float> scaled_magnitudes(double gain);
[[nodiscard]] std::vector<std::uint16_t> scaled_magnitudes_bf16(double gain);

/// Nearest bf16, ties to even, of a finite value: inline, so that loops vectorise; the same bits as isa::to_bf16.
[[nodiscard]] inline isa::Bf16 finite_to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return {static_cast<std::uint16_t>((bits + (((bits >> 16U) & 1U) + 0x7FFFU)) >> 16U)};
}

}  // namespace npu::orch
