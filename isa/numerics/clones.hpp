// One loop, several widths: calls an always-inlined body from functions compiled for each host variant.
#pragma once

#include "isa/numerics/host_variant.hpp"

#define NPU_INLINE [[gnu::always_inline]] inline

#if defined(__x86_64__)
#define NPU_AVX2 [[gnu::target("avx2")]]
#define NPU_AVX512 [[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]]
#else
#define NPU_AVX2
#define NPU_AVX512
#endif

namespace npu::isa {

/// Body is a type with `template <class... Args> NPU_INLINE static void run(Args...)`: a loop without intrinsics, which
/// the compiler vectorises once per variant. No variant may use fma, so all give the same bits.
template <class Body>
struct Cloned {
  template <class... Args>
  static void baseline(Args... args) {
    Body::run(args...);
  }
  template <class... Args>
  NPU_AVX2 static void avx2(Args... args) {
    Body::run(args...);
  }
  template <class... Args>
  NPU_AVX512 static void avx512(Args... args) {
    Body::run(args...);
  }
  template <class... Args>
  static void call(Args... args) {
    switch (host_variant()) {
      case HostVariant::Baseline:
        return baseline(args...);
      case HostVariant::Avx2:
        return avx2(args...);
      case HostVariant::Avx512:
        return avx512(args...);
    }
  }
};

}  // namespace npu::isa
