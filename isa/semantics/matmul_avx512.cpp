// Multiply-accumulate loops for processors with AVX-512 F and BW: 16 lanes.
#if defined(__x86_64__)
#include <immintrin.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "isa/numerics/numerics.hpp"
#include "isa/numerics/rounding.hpp"
#include "isa/semantics/matmul_kernels.hpp"

// To the end of the file: what follows has internal linkage, and the headers above keep the baseline.
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")

namespace npu::isa {
namespace {

struct FloatLanes {
  using Vector = __m512;
  static constexpr std::uint32_t kLanes = 16;
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector canonical(Vector v) {
    const Vector nan = _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(kCanonicalNaNBits)));
    return _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), nan);
  }
};

struct IntLanes {
  using Vector = __m512i;
  static Vector load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int32_t* p, Vector v) { _mm512_storeu_si512(p, v); }
  static Vector broadcast_pair(const std::int16_t* p) {
    int pair = 0;
    std::memcpy(&pair, p, sizeof pair);
    return _mm512_set1_epi32(pair);
  }
  static Vector add_products(Vector a, Vector b, Vector c) { return _mm512_add_epi32(c, _mm512_madd_epi16(a, b)); }
};

}  // namespace

#include "isa/semantics/matmul_kernels.inl"

const MatmulKernels kMatmulAvx512 = kKernels;

}  // namespace npu::isa
#endif
