// TCVT: the pairs of isa.md section 6. A result that is a float type rounds by the mode (None: nearest even) and goes
// to infinity beyond the range where the mode rounds away; an integer result rounds by the mode (None: trunc) and
// saturates, NaN giving 0. Widening pairs are exact and ignore the mode; a widened NaN becomes quiet.
#include <limits>

#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

template <class T>
constexpr bool kIsFloat = std::is_same_v<T, float> || std::is_same_v<T, Fp16> || std::is_same_v<T, Bf16>;

template <class To, RoundMode M>
NPU_INLINE To cast_float(float x) {
  if constexpr (std::is_same_v<To, float>) {
    return integral<M>(x);
  } else if constexpr (std::is_same_v<To, Bf16>) {
    return Bf16{bf16_bits<M>(x)};
  } else if constexpr (std::is_same_v<To, Fp16>) {
    return Fp16{fp16_bits<M>(x)};
  } else if constexpr (std::is_same_v<To, std::int64_t>) {
    return to_integer(x, M, std::numeric_limits<To>::min(), std::numeric_limits<To>::max());
  } else {
    return static_cast<To>(int32_value<M>(x, std::numeric_limits<To>::min(), std::numeric_limits<To>::max()));
  }
}

template <class To, RoundMode M>
NPU_INLINE To cast_integer(std::int32_t x) {
  if constexpr (std::is_same_v<To, float>) {
    return float_value<M>(x);
  } else if constexpr (std::is_same_v<To, Fp16>) {
    // fp32 holds every integer in fp16's range; beyond it both steps go the same way.
    return Fp16{fp16_bits<M>(float_value<M>(x))};
  } else if constexpr (std::is_same_v<To, std::int16_t>) {
    return static_cast<To>(x < -32768 ? -32768 : (x > 32767 ? 32767 : x));
  } else {
    return x;
  }
}

template <class From, class To, RoundMode M>
struct CastLine {
  NPU_INLINE static void run(const From* src, To* dst, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) {
      if constexpr (std::is_same_v<From, float>) {
        dst[i] = cast_float<To, M>(src[i]);
      } else if constexpr (kIsFloat<From> && std::is_same_v<To, float>) {
        dst[i] = to_float(src[i]);
      } else if constexpr (kIsFloat<From>) {
        dst[i] = cast_float<To, M>(to_float(src[i]));
      } else {
        dst[i] = cast_integer<To, M>(static_cast<std::int32_t>(src[i]));
      }
    }
  }
};

template <class From, class To>
void cast(RoundMode mode, const TileView& dst, const TileView& src) {
  constexpr bool kWidens = (kIsFloat<From> && !std::is_same_v<From, float> && std::is_same_v<To, float>) ||
                           std::is_same_v<To, std::int64_t> || (std::is_integral_v<From> && sizeof(From) == 1) ||
                           (std::is_same_v<From, std::int16_t> && std::is_same_v<To, float>);
  const auto run = [&]<RoundMode M>() {
    for_lines([&](std::uint32_t i,
                  std::size_t n) { Cloned<CastLine<From, To, M>>::call(src.line<const From>(i), dst.line<To>(i), n); },
              dst, src);
  };
  if constexpr (kWidens && !std::is_same_v<From, float>) {
    run.template operator()<RoundMode::Rint>();
  } else {
    with_mode(mode, kIsFloat<To> ? RoundMode::Rint : RoundMode::Trunc, run);
  }
}

using CastFunction = void (*)(RoundMode, const TileView&, const TileView&);
struct Pair {
  DType from, to;
  CastFunction function;
};
constexpr Pair kPairs[] = {
    {DType::F32, DType::F16, &cast<float, Fp16>},
    {DType::F32, DType::BF16, &cast<float, Bf16>},
    {DType::F32, DType::F32, &cast<float, float>},
    {DType::F32, DType::I16, &cast<float, std::int16_t>},
    {DType::F32, DType::I32, &cast<float, std::int32_t>},
    {DType::F32, DType::I64, &cast<float, std::int64_t>},
    {DType::F16, DType::F32, &cast<Fp16, float>},
    {DType::F16, DType::I32, &cast<Fp16, std::int32_t>},
    {DType::F16, DType::I16, &cast<Fp16, std::int16_t>},
    {DType::F16, DType::I8, &cast<Fp16, std::int8_t>},
    {DType::F16, DType::U8, &cast<Fp16, std::uint8_t>},
    {DType::BF16, DType::F32, &cast<Bf16, float>},
    {DType::BF16, DType::I32, &cast<Bf16, std::int32_t>},
    {DType::I32, DType::F32, &cast<std::int32_t, float>},
    {DType::I32, DType::I16, &cast<std::int32_t, std::int16_t>},
    {DType::I32, DType::I64, &cast<std::int32_t, std::int64_t>},
    {DType::I32, DType::F16, &cast<std::int32_t, Fp16>},
    {DType::I16, DType::F16, &cast<std::int16_t, Fp16>},
    {DType::I16, DType::F32, &cast<std::int16_t, float>},
    {DType::I8, DType::F16, &cast<std::int8_t, Fp16>},
    {DType::U8, DType::F16, &cast<std::uint8_t, Fp16>},
};

}  // namespace

void execute_cast(const Instruction& ins, const Operands& operands) {
  const TileView& dst = operands.t[0];
  const TileView& src = operands.t[1];
  for (const Pair& pair : kPairs) {
    if (pair.from == src.dtype && pair.to == dst.dtype) {
      return pair.function(static_cast<RoundMode>(ins.mode), dst, src);
    }
  }
  throw program_error("tcvt: no cast from {} to {} on this card; go through f32, i32 or f16", name_of(src.dtype),
                      name_of(dst.dtype));
}

}  // namespace npu::isa
