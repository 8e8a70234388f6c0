// Conversions against an independent reference: exact integer quotients and one rounding rule.
#include "isa/numerics/numerics.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace npu::isa {
namespace {

constexpr RoundMode kModes[] = {RoundMode::None, RoundMode::Rint,  RoundMode::Round, RoundMode::Floor,
                                RoundMode::Ceil, RoundMode::Trunc, RoundMode::Odd};

// Integer quotient numerator / 2^shift rounded by definition: compares the remainder with half the unit.
std::uint64_t reference_quotient(std::uint64_t numerator, unsigned shift, bool negative, RoundMode mode) {
  if (shift >= 60) {  // smaller than half a unit
    const bool up = numerator != 0 && (mode == RoundMode::Odd || (mode == RoundMode::Floor && negative) ||
                                       (mode == RoundMode::Ceil && !negative));
    return up ? 1 : 0;
  }
  const std::uint64_t unit = std::uint64_t{1} << shift;
  const std::uint64_t low = numerator / unit;
  const std::uint64_t rest = numerator % unit;
  if (rest == 0) return low;
  switch (mode) {
    case RoundMode::None:
    case RoundMode::Rint:
      if (2 * rest == unit) return low + low % 2;
      return 2 * rest > unit ? low + 1 : low;
    case RoundMode::Round:
      return 2 * rest >= unit ? low + 1 : low;
    case RoundMode::Floor:
      return negative ? low + 1 : low;
    case RoundMode::Ceil:
      return negative ? low : low + 1;
    case RoundMode::Trunc:
      return low;
    case RoundMode::Odd:
      return low % 2 == 1 ? low : low + 1;
  }
  return low;
}

// fp32 to a format of `exponent_bits` and `mantissa_bits`, built from the value's integer significand.
std::uint16_t reference_narrow(std::uint32_t bits, int exponent_bits, int mantissa_bits, RoundMode mode) {
  const bool negative = bits >> 31 != 0;
  const auto sign = static_cast<std::uint32_t>(negative) << 15;
  const std::uint32_t infinity = ((1U << exponent_bits) - 1) << mantissa_bits;
  const std::uint32_t field = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  if (field == 255 && fraction != 0) {
    return static_cast<std::uint16_t>(sign | infinity | 1U << (mantissa_bits - 1) | fraction >> (23 - mantissa_bits));
  }
  if (field == 255) return static_cast<std::uint16_t>(sign | infinity);
  const std::uint64_t significand = field == 0 ? fraction : fraction | 0x800000;
  const int exponent = (field == 0 ? 1 : static_cast<int>(field)) - 150;  // value = significand * 2^exponent
  const int bias = (1 << (exponent_bits - 1)) - 1;
  // Exponent of the unit in the last place of the target: of its binade, or of its subnormals.
  int top = exponent - 1;
  for (std::uint64_t s = significand; s != 0; s /= 2) ++top;
  const int unit = std::max(top, 1 - bias) - mantissa_bits;
  std::uint64_t q = unit <= exponent
                        ? significand << (exponent - unit)
                        : reference_quotient(significand, static_cast<unsigned>(unit - exponent), negative, mode);
  // q units of 2^unit; a carry into the next binade keeps the encoding consecutive.
  std::uint64_t code = q;
  if (top >= 1 - bias) code = q + (static_cast<std::uint64_t>(unit + bias + mantissa_bits - 1) << mantissa_bits);
  if (code >= infinity) {
    const bool to_infinity = mode == RoundMode::None || mode == RoundMode::Rint || mode == RoundMode::Round ||
                             (mode == RoundMode::Floor && negative) || (mode == RoundMode::Ceil && !negative);
    code = to_infinity ? infinity : infinity - 1;
  }
  return static_cast<std::uint16_t>(sign | code);
}

// Every sign and exponent with mantissas around ties and edges, and a random sample.
std::vector<std::uint32_t> interesting_floats() {
  std::vector<std::uint32_t> result;
  for (std::uint32_t top = 0; top < 512; ++top) {
    for (unsigned bit = 0; bit < 24; ++bit) {
      for (const std::uint32_t high : {0U, 0x400000U, 0x7f0000U, 0x010000U, 0x002000U, 0x003000U, 0x7ff000U}) {
        const std::uint32_t base = (top << 23) + ((high + (1U << bit)) & 0x7fffff);
        for (const std::uint32_t delta : {0U, 1U, ~0U}) result.push_back(base + delta);
      }
    }
  }
  std::mt19937 random{7};
  for (int i = 0; i < 300000; ++i) result.push_back(static_cast<std::uint32_t>(random()));
  return result;
}

}  // namespace

TEST_CASE("fp32 to bf16 and fp16 agrees with exact integer arithmetic in every rounding mode", "[numerics]") {
  std::size_t wrong = 0;
  for (const std::uint32_t bits : interesting_floats()) {
    const float x = std::bit_cast<float>(bits);
    for (const RoundMode mode : kModes) {
      const bool same = to_bf16(x, mode).bits == reference_narrow(bits, 8, 7, mode) &&
                        to_fp16(x, mode).bits == reference_narrow(bits, 5, 10, mode);
      if (!same && ++wrong < 5) {
        CAPTURE(bits, name_of(mode));
        CHECK(to_bf16(x, mode).bits == reference_narrow(bits, 8, 7, mode));
        CHECK(to_fp16(x, mode).bits == reference_narrow(bits, 5, 10, mode));
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("every 16-bit float widens to its value and narrows back to its bits in every mode", "[numerics]") {
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float half = to_float(Fp16{bits});
    const int exponent = static_cast<int>(bits >> 10 & 31U);
    const double fraction = bits & 0x3ffU;
    const double sign = bits & 0x8000U ? -1 : 1;
    if (exponent == 31) {
      wrong += fraction == 0 ? static_cast<double>(half) != sign * std::numeric_limits<double>::infinity()
                             : !std::isnan(half);
    } else {
      const double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      wrong += static_cast<double>(half) != sign * value;
    }
    wrong += std::signbit(half) != (sign < 0);
    for (const RoundMode mode : kModes) {
      const std::uint16_t quiet16 = std::isnan(half) ? 0x200 : 0;
      const std::uint16_t quiet_b = std::isnan(to_float(Bf16{bits})) ? 0x40 : 0;
      wrong += to_fp16(half, mode).bits != (bits | quiet16);
      wrong += to_bf16(to_float(Bf16{bits}), mode).bits != (bits | quiet_b);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("just below a power of two the carry reaches the exponent", "[numerics]") {
  CHECK(to_fp16(0x1.fffffep3F).bits == to_fp16(16.0F).bits);
  CHECK(to_bf16(0x1.fffffep-5F).bits == to_bf16(0x1p-4F).bits);
  CHECK(to_fp16(65520.0F).bits == 0x7c00);
  CHECK(to_fp16(65519.996F).bits == 0x7bff);
  CHECK(to_fp16(65535.0F, RoundMode::Trunc).bits == 0x7bff);
}

TEST_CASE("round_integral follows the definition of each mode", "[numerics]") {
  const auto reference = [](float x, RoundMode mode) {
    const double d = static_cast<double>(x), low = std::floor(d), rest = d - low;
    if (!std::isfinite(d) || rest == 0) return d;
    double r = low;
    switch (mode) {
      case RoundMode::None:
      case RoundMode::Rint:
        r = rest > 0.5 || (rest == 0.5 && std::fmod(low, 2) != 0) ? low + 1 : low;
        break;
      case RoundMode::Round:
        r = rest > 0.5 || (rest == 0.5 && d > 0) ? low + 1 : low;
        break;
      case RoundMode::Floor:
        break;
      case RoundMode::Ceil:
        r = low + 1;
        break;
      case RoundMode::Trunc:
        r = d < 0 ? low + 1 : low;
        break;
      case RoundMode::Odd:
        r = std::fmod(low, 2) != 0 ? low : low + 1;
        break;
    }
    return std::copysign(r, d);
  };
  std::size_t wrong = 0;
  for (const std::uint32_t bits : interesting_floats()) {
    const float x = std::bit_cast<float>(bits);
    if (std::isnan(x)) continue;
    for (const RoundMode mode : kModes) {
      const double expected = reference(x, mode);
      const double got = static_cast<double>(round_integral(x, mode));
      wrong += got != expected || std::signbit(got) != std::signbit(expected);
    }
  }
  CHECK(wrong == 0);
  CHECK(std::isnan(round_integral(std::numeric_limits<float>::quiet_NaN(), RoundMode::Rint)));
}

TEST_CASE("integers saturate and NaN becomes zero", "[numerics]") {
  CHECK(to_integer(1e10F, RoundMode::Rint, -128, 127) == 127);
  CHECK(to_integer(-1e10F, RoundMode::Rint, -128, 127) == -128);
  CHECK(to_integer(-std::numeric_limits<float>::infinity(), RoundMode::Rint, INT64_MIN, INT64_MAX) == INT64_MIN);
  CHECK(to_integer(1e30F, RoundMode::Rint, INT64_MIN, INT64_MAX) == INT64_MAX);
  CHECK(to_integer(std::numeric_limits<float>::quiet_NaN(), RoundMode::Rint, -128, 127) == 0);
  CHECK(to_integer(-2.7F, RoundMode::None, -128, 127) == -2);
  CHECK(to_integer(2.5F, RoundMode::Rint, -128, 127) == 2);
  CHECK(to_integer(2.5F, RoundMode::Round, -128, 127) == 3);
}

}  // namespace npu::isa
