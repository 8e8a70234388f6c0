// Rounding of one number, branch-free so that loops over lines become vector code. The rounding mode is a template
// parameter; numerics.hpp has the forms that take it at run time.
#pragma once

#include <bit>
#include <cstdint>

#include "isa/numerics/numerics.hpp"
#include "isa/types.hpp"

namespace npu::isa {

inline constexpr std::uint32_t kCanonicalNaNBits = 0x7fc00000U;

/// Arithmetic gives one NaN only, so that results do not depend on which operand's payload a host propagates.
[[nodiscard]] constexpr float canonical(float x) { return x == x ? x : std::bit_cast<float>(kCanonicalNaNBits); }

/// The mode with None replaced by the hardware default of the pair (to a float type: nearest even).
[[nodiscard]] constexpr RoundMode or_default(RoundMode mode, RoundMode when_none) {
  return mode == RoundMode::None ? when_none : mode;
}

/// Calls f with the mode as a compile-time constant: f.template operator()<RoundMode::X>(). None counts as when_none.
template <class F>
constexpr decltype(auto) with_mode(RoundMode mode, RoundMode when_none, F&& f) {
  switch (or_default(mode, when_none)) {
    case RoundMode::Round:
      return f.template operator()<RoundMode::Round>();
    case RoundMode::Floor:
      return f.template operator()<RoundMode::Floor>();
    case RoundMode::Ceil:
      return f.template operator()<RoundMode::Ceil>();
    case RoundMode::Trunc:
      return f.template operator()<RoundMode::Trunc>();
    case RoundMode::Odd:
      return f.template operator()<RoundMode::Odd>();
    case RoundMode::None:
    case RoundMode::Rint:
      break;
  }
  return f.template operator()<RoundMode::Rint>();
}

/// magnitude / 2^shift rounded to an integer; negative is the sign of the number (for floor and ceil).
/// Requires 1 <= shift <= 30 and a sum magnitude + 2^shift below 2^32.
template <RoundMode M>
[[nodiscard]] constexpr std::uint32_t round_shift(std::uint32_t magnitude, std::uint32_t shift, bool negative) {
  const std::uint32_t unit = 1U << shift;
  const std::uint32_t below = unit - 1;
  if constexpr (M == RoundMode::Rint) {
    return (magnitude + (unit >> 1) - 1 + ((magnitude >> shift) & 1U)) >> shift;
  } else if constexpr (M == RoundMode::Round) {
    return (magnitude + (unit >> 1)) >> shift;
  } else if constexpr (M == RoundMode::Trunc) {
    return magnitude >> shift;
  } else if constexpr (M == RoundMode::Floor) {
    return (magnitude + (negative ? below : 0U)) >> shift;
  } else if constexpr (M == RoundMode::Ceil) {
    return (magnitude + (negative ? 0U : below)) >> shift;
  } else {
    static_assert(M == RoundMode::Odd);
    return (magnitude >> shift) | ((magnitude & below) != 0 ? 1U : 0U);
  }
}

/// Bits of the bf16 nearest to x in the sense of the mode. The carry of the mantissa runs into the exponent and, past
/// the largest finite value, to infinity.
template <RoundMode M>
[[nodiscard]] constexpr std::uint16_t bf16_bits(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  const std::uint32_t rounded = round_shift<M>(magnitude, 16, (bits >> 31) != 0);
  const std::uint32_t quiet = (magnitude >> 16) | 0x40U;
  return static_cast<std::uint16_t>(((bits >> 16) & 0x8000U) | (magnitude > 0x7f800000U ? quiet : rounded));
}

/// Bits of the fp16 nearest to x in the sense of the mode, subnormals included.
template <RoundMode M>
[[nodiscard]] constexpr std::uint16_t fp16_bits(float x) {
  constexpr std::uint32_t kInfinity = 0x7c00U;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  const bool negative = (bits >> 31) != 0;
  // What a finite value beyond the range becomes.
  const bool stays_finite = M == RoundMode::Trunc || M == RoundMode::Odd || (M == RoundMode::Floor && !negative) ||
                            (M == RoundMode::Ceil && negative);
  const std::uint32_t largest = stays_finite ? kInfinity - 1 : kInfinity;

  constexpr std::uint32_t kRebias = (127U - 15U) << 23;
  const std::uint32_t rebiased = magnitude > kRebias ? magnitude - kRebias : 0U;
  const std::uint32_t normal = round_shift<M>(rebiased, 13, negative);

  // Below 2^-14 the unit is 2^-24: significand * 2^(exponent - 150) / 2^-24.
  const std::uint32_t exponent = magnitude >> 23;
  const std::uint32_t significand = (magnitude & 0x7fffffU) | (exponent != 0 ? 0x800000U : 0U);
  const std::uint32_t shift = exponent < 96U ? 30U : (exponent > 112U ? 14U : 126U - exponent);
  const std::uint32_t subnormal = round_shift<M>(significand, shift, negative);

  std::uint32_t result = magnitude < 0x38800000U ? subnormal : (normal < largest ? normal : largest);
  result = magnitude == 0x7f800000U ? kInfinity : result;
  result = magnitude > 0x7f800000U ? (0x7e00U | ((magnitude >> 13) & 0x3ffU)) : result;
  return static_cast<std::uint16_t>(((bits >> 16) & 0x8000U) | result);
}

/// x rounded to an integral value, sign of zero kept; infinities and NaN unchanged.
template <RoundMode M>
[[nodiscard]] constexpr float integral(float x) {
  constexpr float kAllIntegral = 8388608.0F;  // 2^23: every larger float is an integer
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const float magnitude = std::bit_cast<float>(bits & 0x7fffffffU);
  const bool negative = (bits >> 31) != 0;
  const bool has_fraction = magnitude < kAllIntegral;
  const float small = has_fraction ? magnitude : 0.0F;
  const std::int32_t whole = static_cast<std::int32_t>(small);
  const float low = static_cast<float>(whole);
  const float fraction = small - low;
  bool up = false;
  if constexpr (M == RoundMode::Rint) {
    up = fraction > 0.5F || (fraction == 0.5F && (whole & 1) != 0);
  } else if constexpr (M == RoundMode::Round) {
    up = fraction >= 0.5F;
  } else if constexpr (M == RoundMode::Floor) {
    up = negative && fraction > 0.0F;
  } else if constexpr (M == RoundMode::Ceil) {
    up = !negative && fraction > 0.0F;
  } else if constexpr (M == RoundMode::Odd) {
    up = fraction > 0.0F && (whole & 1) == 0;
  } else {
    static_assert(M == RoundMode::Trunc);
  }
  const float rounded = low + (up ? 1.0F : 0.0F);
  const std::uint32_t result = std::bit_cast<std::uint32_t>(rounded) | (bits & 0x80000000U);
  return has_fraction ? std::bit_cast<float>(result) : x;
}

/// x rounded and saturated to [lo, hi]; NaN gives 0.
template <RoundMode M>
[[nodiscard]] constexpr std::int32_t int32_value(float x, std::int32_t lo, std::int32_t hi) {
  constexpr float kTwo31 = 2147483648.0F;
  const float r = integral<M>(x);
  const bool fits = r > -kTwo31 && r < kTwo31;
  std::int32_t v = static_cast<std::int32_t>(fits ? r : 0.0F);
  v = r >= kTwo31 ? hi : v;
  v = r <= -kTwo31 ? lo : v;
  v = v < lo ? lo : v;
  v = v > hi ? hi : v;
  return x == x ? v : 0;
}

/// x rounded to fp32 (exact up to 24 significant bits).
template <RoundMode M>
[[nodiscard]] constexpr float float_value(std::int32_t x) {
  if constexpr (M == RoundMode::Rint) {
    return static_cast<float>(x);
  } else {
    const bool negative = x < 0;
    const std::uint32_t magnitude = negative ? 0U - static_cast<std::uint32_t>(x) : static_cast<std::uint32_t>(x);
    const int width = 32 - std::countl_zero(magnitude);
    if (width <= 24) return static_cast<float>(x);
    const auto shift = static_cast<std::uint32_t>(width - 24);
    const float value =
        static_cast<float>(round_shift<M>(magnitude, shift, negative)) * static_cast<float>(1U << shift);
    return negative ? -value : value;
  }
}

}  // namespace npu::isa
