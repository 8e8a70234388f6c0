// What the vector instructions share: element types, lines, broadcast-free loops.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "isa/errors.hpp"
#include "isa/numerics/clones.hpp"
#include "isa/numerics/numerics.hpp"
#include "isa/numerics/rounding.hpp"
#include "isa/semantics/semantics.hpp"

namespace npu::isa {

/// Type in which elements of T are computed. fp16 is computed in fp32 and rounded once; integers wrap.
template <class T>
using Compute = std::conditional_t<std::is_integral_v<T>, std::int32_t, float>;

NPU_INLINE float widened(float x) { return x; }
NPU_INLINE float widened(Fp16 x) { return to_float(x); }
NPU_INLINE float widened(Bf16 x) { return to_float(x); }
NPU_INLINE std::int32_t widened(std::int32_t x) { return x; }
NPU_INLINE std::int32_t widened(std::int16_t x) { return x; }

/// A computed value as an element; a NaN becomes the canonical one.
template <class T>
NPU_INLINE T narrowed(Compute<T> x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(x);
  } else if constexpr (std::is_same_v<T, float>) {
    return canonical(x);
  } else if constexpr (std::is_same_v<T, Fp16>) {
    return Fp16{fp16_bits<RoundMode::Rint>(canonical(x))};
  } else {
    return Bf16{bf16_bits<RoundMode::Rint>(canonical(x))};
  }
}

struct AddOp {
  template <class C>
  NPU_INLINE static C apply(C a, C b) {
    if constexpr (std::is_integral_v<C>) {
      return static_cast<C>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    } else {
      return a + b;
    }
  }
};
struct SubOp {
  template <class C>
  NPU_INLINE static C apply(C a, C b) {
    if constexpr (std::is_integral_v<C>) {
      return static_cast<C>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
    } else {
      return a - b;
    }
  }
};
struct MulOp {
  template <class C>
  NPU_INLINE static C apply(C a, C b) {
    if constexpr (std::is_integral_v<C>) {
      return static_cast<C>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(b));
    } else {
      return a * b;
    }
  }
};
struct DivOp {
  template <class C>
  NPU_INLINE static C apply(C a, C b) {
    return a / b;
  }
};
/// NaN if either is NaN; of equal operands (+0 and -0) the first.
struct MaxOp {
  NPU_INLINE static float apply(float a, float b) { return select(b == b, select(a < b, b, a), b); }
  NPU_INLINE static std::int32_t apply(std::int32_t a, std::int32_t b) { return a < b ? b : a; }
};
struct MinOp {
  NPU_INLINE static float apply(float a, float b) { return select(b == b, select(b < a, b, a), b); }
  NPU_INLINE static std::int32_t apply(std::int32_t a, std::int32_t b) { return b < a ? b : a; }
};

template <class T>
struct Type {
  using type = T;
};

/// Calls f(Type<T>{}) for the element type of an arithmetic tile.
template <class F>
void with_arithmetic_type(std::string_view mnemonic, DType dtype, F&& f) {
  switch (dtype) {
    case DType::I16:
      return f(Type<std::int16_t>{});
    case DType::I32:
      return f(Type<std::int32_t>{});
    case DType::F16:
      return f(Type<Fp16>{});
    case DType::F32:
      return f(Type<float>{});
    case DType::I8:
    case DType::U8:
    case DType::I64:
    case DType::BF16:
      break;
  }
  throw program_error("{}: no arithmetic on {} (i16, i32, f16, f32 are)", mnemonic, name_of(dtype));
}

/// Calls f(Type<T>{}) for the element type of a float tile.
template <class F>
void with_float_type(std::string_view mnemonic, DType dtype, F&& f) {
  if (dtype == DType::F32) return f(Type<float>{});
  if (dtype == DType::F16) return f(Type<Fp16>{});
  throw program_error("{}: no {} (f16, f32 are)", mnemonic, name_of(dtype));
}

/// Calls f(Type<U>{}) with the unsigned integer of the element's size: data that is moved, not computed on.
template <class F>
void with_storage_type(DType dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1:
      return f(Type<std::uint8_t>{});
    case 2:
      return f(Type<std::uint16_t>{});
    case 4:
      return f(Type<std::uint32_t>{});
    default:
      return f(Type<std::uint64_t>{});
  }
}

/// The scalar operand of an instruction on tiles of T: fp32 bits for float tiles, an integer otherwise.
template <class T>
[[nodiscard]] Compute<T> scalar_operand(std::int64_t scalar) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int32_t>(static_cast<T>(scalar));
  } else {
    return std::bit_cast<float>(static_cast<std::uint32_t>(scalar));
  }
}

/// True if the lines follow each other without gaps, so that a positionwise operation may treat them as one.
[[nodiscard]] inline bool is_dense(const TileView& t) { return t.pitch == t.line_length() * size_of(t.dtype); }

/// Calls f(line, n): each line of the tiles, or one line of everything if all tiles are dense.
template <class F, class... Tiles>
void for_lines(F&& f, const TileView& first, const Tiles&... rest) {
  if (is_dense(first) && (is_dense(rest) && ...)) {
    f(std::uint32_t{0}, std::size_t{first.lines()} * first.line_length());
    return;
  }
  for (std::uint32_t i = 0; i < first.lines(); ++i) f(i, std::size_t{first.line_length()});
}

}  // namespace npu::isa
