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

[[nodiscard]] constexpr float to_float(Bf16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }
[[nodiscard]] float to_float(Fp16 x);

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

/// dst[i] = f(src[i]), vectorised, the same bits as the scalar forms.
void exp_f32(const float* src, float* dst, std::size_t n);
void log_f32(const float* src, float* dst, std::size_t n);

}  // namespace npu::isa
