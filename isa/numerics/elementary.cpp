// exp and ln of fp32 in double arithmetic of multiplies, adds and one division, without fma and without library calls:
// the same bits on every host with IEEE doubles. The double result has a relative error below 3e-10 (truncation of the
// series, stated beside each), so the fp32 result is within 0.51 ulp of the exact value, subnormal results included.
#include <bit>
#include <cstddef>
#include <cstdint>

#include "isa/numerics/clones.hpp"
#include "isa/numerics/numerics.hpp"
#include "isa/numerics/rounding.hpp"

namespace npu::isa {
namespace {

constexpr double kLn2 = 0.693147180559945309417;

// e^x = 2^n * e^r with n = rint(x / ln 2), |r| <= ln 2 / 2. Taylor series of e^r to r^8: error below r^9 / 9! = 2e-10.
NPU_INLINE float exp_lane(float x) {
  constexpr double kLog2E = 1.44269504088896340736;
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves rint(t) in the low mantissa bits
  constexpr float kUnderflow = -104.0F;          // e^-104 < 2^-150, half of the smallest subnormal
  constexpr float kOverflow = 89.0F;             // e^89 > 2^128
  float clamped = x < kUnderflow ? kUnderflow : x;
  clamped = clamped > kOverflow ? kOverflow : clamped;
  clamped = x == x ? clamped : 0.0F;
  const double d = static_cast<double>(clamped);
  const double shifted = d * kLog2E + kMagic;
  const double n = shifted - kMagic;
  const double r = d - n * kLn2;
  double p = 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const double power = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023U) << 52);
  const float result = static_cast<float>(p * power);
  return x == x ? result : std::bit_cast<float>(kCanonicalNaNBits);
}

// x = 2^k * m with sqrt(1/2) <= m < sqrt(2); ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716.
// Series to s^13: error below s^14 / 15 / (1 - s^2) = 2e-12 relative. Every fp32 subnormal is a normal double.
NPU_INLINE float log_lane(float x) {
  constexpr std::uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdU;
  constexpr std::uint64_t kBias = std::uint64_t{1024} << 52;
  constexpr std::uint64_t kTwo52 = 0x4330000000000000U;
  const bool regular = x > 0.0F && x < std::bit_cast<float>(0x7f800000U);
  const double d = static_cast<double>(regular ? x : 1.0F);
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(d);
  const std::uint64_t biased = (bits - kSqrtHalf + kBias) >> 52;  // k + 1024
  const double k = std::bit_cast<double>(biased | kTwo52) - (4503599627370496.0 + 1024.0);
  const double m = std::bit_cast<double>(bits - (biased << 52) + kBias);
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double p = 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  p = p * z + 1.0;
  const float result = static_cast<float>(k * kLn2 + 2.0 * s * p);
  const float special =
      x == 0.0F ? std::bit_cast<float>(0xff800000U) : (x > 0.0F ? x : std::bit_cast<float>(kCanonicalNaNBits));
  return regular ? result : special;
}

struct ExpLine {
  NPU_INLINE static void run(const float* src, float* dst, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = exp_lane(src[i]);
  }
};
struct LogLine {
  NPU_INLINE static void run(const float* src, float* dst, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = log_lane(src[i]);
  }
};

}  // namespace

float exp_f32(float x) { return exp_lane(x); }
float log_f32(float x) { return log_lane(x); }
void exp_f32(const float* src, float* dst, std::size_t n) { Cloned<ExpLine>::call(src, dst, n); }
void log_f32(const float* src, float* dst, std::size_t n) { Cloned<LogLine>::call(src, dst, n); }

}  // namespace npu::isa
