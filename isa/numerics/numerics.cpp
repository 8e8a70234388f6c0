#include "isa/numerics/numerics.hpp"

#include <cmath>

#include "isa/numerics/rounding.hpp"

namespace npu::isa {

Bf16 to_bf16(float x, RoundMode mode) {
  return with_mode(mode, RoundMode::Rint, [x]<RoundMode M>() { return Bf16{bf16_bits<M>(x)}; });
}

Fp16 to_fp16(float x, RoundMode mode) {
  return with_mode(mode, RoundMode::Rint, [x]<RoundMode M>() { return Fp16{fp16_bits<M>(x)}; });
}

float round_integral(float x, RoundMode mode) {
  return with_mode(mode, RoundMode::Rint, [x]<RoundMode M>() { return integral<M>(x); });
}

std::int64_t to_integer(float x, RoundMode mode, std::int64_t lo, std::int64_t hi) {
  if (std::isnan(x)) return 0;
  constexpr float kTwo63 = 9223372036854775808.0F;
  const float r = round_integral(x, or_default(mode, RoundMode::Trunc));
  if (r >= kTwo63) return hi;
  if (r < -kTwo63) return lo;
  const auto value = static_cast<std::int64_t>(r);
  return value < lo ? lo : (value > hi ? hi : value);
}

float rsqrt_f32(float x) { return canonical(static_cast<float>(1.0 / std::sqrt(static_cast<double>(x)))); }

}  // namespace npu::isa
