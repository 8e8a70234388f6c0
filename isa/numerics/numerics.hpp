// Number formats and elementary functions, with the same bits on every host (isa.md section 7).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "isa/types.hpp"

namespace npu::isa {

/// Storage of the 16-bit float types; arithmetic happens in float.
struct Bf16 {
  std::uint16_t bits = 0;
  bool operator==(const Bf16&) const = default;
};
struct Fp16 {
  std::uint16_t bits = 0;
  bool operator==(const Fp16&) const = default;
};

[[nodiscard]] constexpr float to_float(Bf16 x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}
[[nodiscard]] constexpr float to_float(Fp16 x) {
  const std::uint32_t sign = (x.bits & 0x8000U) << 16;
  const std::uint32_t magnitude = x.bits & 0x7fffU;
  constexpr std::uint32_t kRebias = (127U - 15U) << 23;
  const std::uint32_t shifted = (magnitude << 13) + kRebias;
  const std::uint32_t special = magnitude >= 0x7c00U ? kRebias : 0U;  // exponent 31 becomes 255
  const std::uint32_t quiet = magnitude > 0x7c00U ? 0x400000U : 0U;
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24F;  // exact
  const std::uint32_t bits = magnitude < 0x400U ? std::bit_cast<std::uint32_t>(subnormal) : (shifted + special) | quiet;
  return std::bit_cast<float>(sign | bits);
}

/// fp32 to bf16 or fp16. Overflow goes to infinity in the rounding modes that round away from the largest finite value;
/// NaN stays NaN (quiet, sign kept). None means Rint.
[[nodiscard]] Bf16 to_bf16(float x, RoundMode mode = RoundMode::Rint);
[[nodiscard]] Fp16 to_fp16(float x, RoundMode mode = RoundMode::Rint);

/// fp32 to an integer value with saturation to [lo, hi]; NaN gives 0. None means Trunc.
[[nodiscard]] std::int64_t to_integer(float x, RoundMode mode, std::int64_t lo, std::int64_t hi);
/// fp32 rounded to an integral fp32 value.
[[nodiscard]] float round_integral(float x, RoundMode mode);

/// Elementary functions: one implementation for the whole project, error bound stated in numerics/elementary.cpp and
/// tested against double precision. sqrt and division are the correctly rounded ones of the host.
[[nodiscard]] float exp_f32(float x);
[[nodiscard]] float log_f32(float x);
[[nodiscard]] float rsqrt_f32(float x);  ///< 1 / sqrt(x), evaluated in double, rounded once

/// dst[i] = f(src[i]), vectorised, the same bits as the scalar forms. src and dst are equal or disjoint.
void exp_f32(const float* src, float* dst, std::size_t n);
void log_f32(const float* src, float* dst, std::size_t n);

}  // namespace npu::isa
