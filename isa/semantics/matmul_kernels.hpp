// The multiply-accumulate loops behind TMATMUL, one set for each host variant (matmul_baseline.cpp, matmul_avx2.cpp,
// matmul_avx512.cpp), all from matmul_kernels.inl.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "isa/semantics/semantics.hpp"

namespace npu::isa {

/// Memory that grows and is never given back, aligned to a cache line; one for each thread and purpose.
class Scratch {
 public:
  /// At least count elements of T with unspecified content; earlier pointers become invalid.
  template <class T>
  [[nodiscard]] T* get(std::size_t count) {
    if (count * sizeof(T) > size_) {
      size_ = count * sizeof(T);
      memory_.reset(static_cast<std::byte*>(::operator new(size_, kAlignment)));
    }
    return reinterpret_cast<T*>(memory_.get());
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_ = 0;
};

/// Widened left block, packed panel of the right operand, and the panel before widening.
struct MatmulScratch {
  Scratch left, panel, narrow;
};

/// acc[i][j] += left x right; acc is row-major, left row-major, right ZN (lines of n) or ZNt (lines of k).
/// Floats: acc[i][j] runs through fma(left[i][k], right[k][j], acc[i][j]) in fp32 for ascending k; a NaN leaves as
/// 0x7fc00000. int8: exact, modulo 2^32.
struct MatmulKernels {
  using Function = void (*)(const TileView& acc, const TileView& left, const TileView& right, MatmulScratch& scratch);
  Function from_f32, from_bf16, from_f16, from_i8;
};

extern const MatmulKernels kMatmulBaseline;
#if defined(__x86_64__)
extern const MatmulKernels kMatmulAvx2;
extern const MatmulKernels kMatmulAvx512;
#endif

}  // namespace npu::isa
