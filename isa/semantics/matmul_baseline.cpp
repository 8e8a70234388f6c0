// Multiply-accumulate loops for any processor. std::fma is a library call where the processor has no fma instruction.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "isa/numerics/numerics.hpp"
#include "isa/numerics/rounding.hpp"
#include "isa/semantics/matmul_kernels.hpp"

namespace npu::isa {
namespace {

template <class T>
struct Four {
  T lane[4];
};

struct FloatLanes {
  using Vector = Four<float>;
  static constexpr std::uint32_t kLanes = 4;
  static Vector load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static void store(float* p, const Vector& v) {
    for (std::size_t i = 0; i < 4; ++i) p[i] = v.lane[i];
  }
  static Vector broadcast(float x) { return {{x, x, x, x}}; }
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    Vector r;
    for (std::size_t i = 0; i < 4; ++i) r.lane[i] = std::fma(a.lane[i], b.lane[i], c.lane[i]);
    return r;
  }
  static Vector canonical(const Vector& v) {
    Vector r;
    for (std::size_t i = 0; i < 4; ++i) r.lane[i] = npu::isa::canonical(v.lane[i]);
    return r;
  }
};

struct IntLanes {
  using Vector = Four<std::uint32_t>;
  static Vector load(const std::int32_t* p) {
    Vector r;
    std::memcpy(&r, p, sizeof r);
    return r;
  }
  static void store(std::int32_t* p, const Vector& v) { std::memcpy(p, &v, sizeof v); }
  static Vector broadcast_pair(const std::int16_t* p) {
    std::uint32_t pair = 0;
    std::memcpy(&pair, p, sizeof pair);
    return {{pair, pair, pair, pair}};
  }
  static Vector add_products(const Vector& a, const Vector& b, const Vector& c) {
    Vector r;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::int32_t low = half(a.lane[i]) * half(b.lane[i]);
      const std::int32_t high = half(a.lane[i] >> 16) * half(b.lane[i] >> 16);
      r.lane[i] = c.lane[i] + static_cast<std::uint32_t>(low) + static_cast<std::uint32_t>(high);
    }
    return r;
  }

 private:
  static std::int32_t half(std::uint32_t pair) { return static_cast<std::int16_t>(pair & 0xffffU); }
};

}  // namespace

#include "isa/semantics/matmul_kernels.inl"

const MatmulKernels kMatmulBaseline = kKernels;

}  // namespace npu::isa
