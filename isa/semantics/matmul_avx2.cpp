// Multiply-accumulate loops for processors with AVX2 and FMA: 8 lanes.
#if defined(__x86_64__)
#include <immintrin.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "isa/numerics/numerics.hpp"
#include "isa/numerics/rounding.hpp"
#include "isa/semantics/matmul_kernels.hpp"

// To the end of the file: what follows has internal linkage, and the headers above keep the baseline.
#pragma GCC target("avx2,fma")

namespace npu::isa {
namespace {

struct FloatLanes {
  using Vector = __m256;
  static constexpr std::uint32_t kLanes = 8;
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector canonical(Vector v) {
    const Vector nan = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(kCanonicalNaNBits)));
    return _mm256_blendv_ps(v, nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  }
};

struct IntLanes {
  using Vector = __m256i;
  static Vector load(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const Vector*>(p)); }
  static void store(std::int32_t* p, Vector v) { _mm256_storeu_si256(reinterpret_cast<Vector*>(p), v); }
  static Vector broadcast_pair(const std::int16_t* p) {
    int pair = 0;
    std::memcpy(&pair, p, sizeof pair);
    return _mm256_set1_epi32(pair);
  }
  static Vector add_products(Vector a, Vector b, Vector c) { return _mm256_add_epi32(c, _mm256_madd_epi16(a, b)); }
};

}  // namespace

#include "isa/semantics/matmul_kernels.inl"

const MatmulKernels kMatmulAvx2 = kKernels;

}  // namespace npu::isa
#endif
