// Elementwise instructions on two tiles, on a tile and a scalar, and on one tile. All tiles have one shape and layout.
// Integers wrap; fp16 is computed in fp32 and rounded once (the scalar operand is fp32 and is not rounded first).
#include <cmath>
#include <cstring>

#include "isa/instructions/instruction_table.hpp"
#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"
#include "isa/semantics/strided_copy.hpp"

namespace npu::isa {
namespace {

template <class T, class Op>
struct BinaryLine {
  NPU_INLINE static void run(T* dst, const T* a, const T* b, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<T>(Op::apply(widened(a[i]), widened(b[i])));
  }
};
template <class T, class Op>
struct ScalarLine {
  NPU_INLINE static void run(T* dst, const T* a, Compute<T> s, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<T>(Op::apply(widened(a[i]), s));
  }
};
template <class T, class Op>
struct UnaryLine {
  NPU_INLINE static void run(T* dst, const T* a, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<T>(Op::apply(widened(a[i])));
  }
};

/// scalar / element
struct ReverseDivOp {
  NPU_INLINE static float apply(float a, float s) { return s / a; }
};
struct SqrtOp {
  NPU_INLINE static float apply(float a) { return std::sqrt(a); }
};
struct RsqrtOp {
  NPU_INLINE static float apply(float a) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
};
struct RecipOp {
  NPU_INLINE static float apply(float a) { return 1.0F / a; }
};
struct AbsOp {
  NPU_INLINE static float apply(float a) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) & 0x7fffffffU); }
};
struct NegOp {
  NPU_INLINE static float apply(float a) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) ^ 0x80000000U); }
  NPU_INLINE static std::int32_t apply(std::int32_t a) {
    return static_cast<std::int32_t>(0U - static_cast<std::uint32_t>(a));
  }
};

template <class T, class Op>
void binary(const Operands& o) {
  for_lines(
      [&](std::uint32_t i, std::size_t n) {
        Cloned<BinaryLine<T, Op>>::call(o.t[0].line<T>(i), o.t[1].line<const T>(i), o.t[2].line<const T>(i), n);
      },
      o.t[0], o.t[1], o.t[2]);
}

template <class T, class Op>
void with_scalar(const Operands& o) {
  const Compute<T> s = scalar_operand<T>(o.scalar);
  for_lines([&](std::uint32_t i,
                std::size_t n) { Cloned<ScalarLine<T, Op>>::call(o.t[0].line<T>(i), o.t[1].line<const T>(i), s, n); },
            o.t[0], o.t[1]);
}

template <class T, class Op>
void unary(const Operands& o) {
  for_lines([&](std::uint32_t i,
                std::size_t n) { Cloned<UnaryLine<T, Op>>::call(o.t[0].line<T>(i), o.t[1].line<const T>(i), n); },
            o.t[0], o.t[1]);
}

using LineFunction = void (*)(const float*, float*, std::size_t);

struct Widen {
  NPU_INLINE static void run(const Fp16* src, float* dst, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = to_float(src[i]);
  }
};
struct Narrow {
  NPU_INLINE static void run(const float* src, Fp16* dst, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<Fp16>(src[i]);
  }
};

// exp and ln work on lines of fp32; fp16 passes through a buffer.
template <class T>
void elementary(const Operands& o, LineFunction f) {
  for_lines(
      [&](std::uint32_t i, std::size_t n) {
        T* dst = o.t[0].line<T>(i);
        const T* src = o.t[1].line<const T>(i);
        if constexpr (std::is_same_v<T, float>) {
          f(src, dst, n);
        } else {
          constexpr std::size_t kChunk = 256;
          alignas(64) float buffer[kChunk];
          for (std::size_t j = 0; j < n; j += kChunk) {
            const std::size_t count = n - j < kChunk ? n - j : kChunk;
            Cloned<Widen>::call(src + j, &buffer[0], count);
            f(buffer, buffer, count);
            Cloned<Narrow>::call(&buffer[0], dst + j, count);
          }
        }
      },
      o.t[0], o.t[1]);
}

}  // namespace

void execute_binary(const Instruction& ins, const Operands& o) {
  const std::string_view name = op_info(ins.opcode).mnemonic;
  const DType type = o.t[1].dtype;
  const auto arithmetic = [&](auto&& f) { with_arithmetic_type(name, type, f); };
  const auto floats = [&](auto&& f) { with_float_type(name, type, f); };
  switch (ins.opcode) {
    case Opcode::TAdd:
      return arithmetic([&]<class T>(Type<T>) { binary<T, AddOp>(o); });
    case Opcode::TSub:
      return arithmetic([&]<class T>(Type<T>) { binary<T, SubOp>(o); });
    case Opcode::TMul:
      return arithmetic([&]<class T>(Type<T>) { binary<T, MulOp>(o); });
    case Opcode::TMax:
      return arithmetic([&]<class T>(Type<T>) { binary<T, MaxOp>(o); });
    case Opcode::TMin:
      return arithmetic([&]<class T>(Type<T>) { binary<T, MinOp>(o); });
    case Opcode::TDiv:
      return floats([&]<class T>(Type<T>) { binary<T, DivOp>(o); });
    case Opcode::TAddS:
      return arithmetic([&]<class T>(Type<T>) { with_scalar<T, AddOp>(o); });
    case Opcode::TMulS:
      return arithmetic([&]<class T>(Type<T>) { with_scalar<T, MulOp>(o); });
    case Opcode::TMaxS:
      return arithmetic([&]<class T>(Type<T>) { with_scalar<T, MaxOp>(o); });
    case Opcode::TMinS:
      return arithmetic([&]<class T>(Type<T>) { with_scalar<T, MinOp>(o); });
    case Opcode::TDivS:
      return floats([&]<class T>(Type<T>) { with_scalar<T, DivOp>(o); });
    case Opcode::TSDiv:
      return floats([&]<class T>(Type<T>) { with_scalar<T, ReverseDivOp>(o); });
    default:
      NPU_ASSERT(false, "not an elementwise instruction with two operands");
  }
}

void execute_unary(const Instruction& ins, const Operands& o) {
  const std::string_view name = op_info(ins.opcode).mnemonic;
  const DType type = o.t[1].dtype;
  const auto floats = [&](auto&& f) { with_float_type(name, type, f); };
  switch (ins.opcode) {
    case Opcode::TExp:
      return floats([&]<class T>(Type<T>) { elementary<T>(o, &exp_f32); });
    case Opcode::TLog:
      return floats([&]<class T>(Type<T>) { elementary<T>(o, &log_f32); });
    case Opcode::TSqrt:
      return floats([&]<class T>(Type<T>) { unary<T, SqrtOp>(o); });
    case Opcode::TRsqrt:
      return floats([&]<class T>(Type<T>) { unary<T, RsqrtOp>(o); });
    case Opcode::TAbs:
      return floats([&]<class T>(Type<T>) { unary<T, AbsOp>(o); });
    case Opcode::TRecip:
      return floats([&]<class T>(Type<T>) { unary<T, RecipOp>(o); });
    case Opcode::TNeg:
      return with_arithmetic_type(name, type, [&]<class T>(Type<T>) { unary<T, NegOp>(o); });
    case Opcode::TCopy:
      return copy_lines(lines_of(o.t[0]), lines_of(o.t[1]), o.t[1].lines(),
                        std::size_t{o.t[1].line_length()} * size_of(type));
    default:
      NPU_ASSERT(false, "not an elementwise instruction with one operand");
  }
}

}  // namespace npu::isa
