#include "kernels/reference/matmul.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "isa/errors.hpp"
#include "isa/numerics/clones.hpp"
#include "kernels/reference/parallel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace npu::kernels::reference {
namespace {

constexpr std::size_t kPanel = 16;   ///< output columns of a float panel
constexpr std::size_t kRowTile = 6;  ///< output rows held in registers
constexpr std::size_t kDepth = 512;  ///< k range of a packed panel (32 KiB)
constexpr std::size_t kIntRows = 4, kIntCols = 2;

/// acc[r][j] = fma chain over `depth` steps of kRowTile rows of a. Vector lanes run over output columns, so that all
/// versions give the same bits.
using FloatTile = void (*)(const float* a, std::size_t pitch, const float* panel, std::size_t depth, float* acc);

void float_tile(const float* a, std::size_t pitch, const float* panel, std::size_t depth, float* acc) {
  for (std::size_t r = 0; r < kRowTile; ++r, a += pitch, acc += kPanel)
    for (std::size_t k = 0; k < depth; ++k)
      for (std::size_t j = 0; j < kPanel; ++j) acc[j] = std::fma(a[k], panel[k * kPanel + j], acc[j]);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void float_tile_avx2(const float* a, std::size_t pitch, const float* panel,
                                                         std::size_t depth, float* acc) {
  __m256 t[kRowTile][2];
  for (std::size_t r = 0; r < kRowTile; ++r)
    for (std::size_t h = 0; h < 2; ++h) t[r][h] = _mm256_loadu_ps(acc + r * kPanel + h * 8);
  for (std::size_t k = 0; k < depth; ++k) {
    const __m256 low = _mm256_loadu_ps(panel + k * kPanel), high = _mm256_loadu_ps(panel + k * kPanel + 8);
    for (std::size_t r = 0; r < kRowTile; ++r) {
      const __m256 x = _mm256_broadcast_ss(a + r * pitch + k);
      t[r][0] = _mm256_fmadd_ps(x, low, t[r][0]);
      t[r][1] = _mm256_fmadd_ps(x, high, t[r][1]);
    }
  }
  for (std::size_t r = 0; r < kRowTile; ++r)
    for (std::size_t h = 0; h < 2; ++h) _mm256_storeu_ps(acc + r * kPanel + h * 8, t[r][h]);
}

__attribute__((target("avx512f"))) void float_tile_avx512(const float* a, std::size_t pitch, const float* panel,
                                                          std::size_t depth, float* acc) {
  __m512 t[kRowTile];
  for (std::size_t r = 0; r < kRowTile; ++r) t[r] = _mm512_loadu_ps(acc + r * kPanel);
  for (std::size_t k = 0; k < depth; ++k) {
    const __m512 b = _mm512_loadu_ps(panel + k * kPanel);
    for (std::size_t r = 0; r < kRowTile; ++r) t[r] = _mm512_fmadd_ps(_mm512_set1_ps(a[r * pitch + k]), b, t[r]);
  }
  for (std::size_t r = 0; r < kRowTile; ++r) _mm512_storeu_ps(acc + r * kPanel, t[r]);
}
#endif

FloatTile best_float_tile() {
#if defined(__x86_64__)
  if (isa::host_variant() == isa::HostVariant::Avx512) return float_tile_avx512;
  if (isa::host_variant() == isa::HostVariant::Avx2) return float_tile_avx2;  // has fma
#endif
  return float_tile;
}

/// pack(k0, depth, n0, width, panel): panel[k][j] = b[k0 + k][n0 + j], columns from `width` on 0.
template <class Pack>
void float_product(Matrix<const float> a, std::size_t columns, Matrix<float> c, unsigned threads, const Pack& pack) {
  const std::size_t depth_total = a.cols;
  const FloatTile multiply = best_float_tile();
  parallel_for((columns + kPanel - 1) / kPanel, threads, [&](std::size_t p) {
    const std::size_t n0 = p * kPanel, width = std::min(kPanel, columns - n0);
    const std::size_t tiles = (a.rows + kRowTile - 1) / kRowTile;
    std::vector<float> panel(std::min(kDepth, depth_total) * kPanel);
    std::vector<float> acc(tiles * kRowTile * kPanel, 0.0F);
    std::vector<float> tail(kRowTile * kDepth, 0.0F);  // rows of an incomplete last tile, padded with zero rows
    for (std::size_t k0 = 0; k0 < depth_total; k0 += kDepth) {
      const std::size_t depth = std::min(kDepth, depth_total - k0);
      pack(k0, depth, n0, width, panel.data());
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        const std::size_t r0 = tile * kRowTile, rows = std::min(kRowTile, a.rows - r0);
        const float* source = a.row(r0) + k0;
        std::size_t pitch = a.pitch;
        if (rows < kRowTile) {
          for (std::size_t r = 0; r < rows; ++r) std::copy_n(a.row(r0 + r) + k0, depth, &tail[r * kDepth]);
          source = tail.data();
          pitch = kDepth;
        }
        multiply(source, pitch, panel.data(), depth, &acc[r0 * kPanel]);
      }
    }
    for (std::size_t r = 0; r < a.rows; ++r) std::copy_n(&acc[r * kPanel], width, c.row(r) + n0);
  });
}

float widen(float x) { return x; }
float widen(isa::Bf16 x) { return isa::to_float(x); }

template <class T>
void product(Matrix<const float> a, Matrix<const T> b, Matrix<float> c, unsigned threads) {
  NPU_ASSERT(a.cols == b.rows && c.rows == a.rows && c.cols == b.cols, "matrix shapes");
  float_product(a, b.cols, c, threads,
                [&](std::size_t k0, std::size_t depth, std::size_t n0, std::size_t width, float* panel) {
                  for (std::size_t k = 0; k < depth; ++k, panel += kPanel) {
                    const T* source = b.row(k0 + k) + n0;
                    for (std::size_t j = 0; j < width; ++j) panel[j] = widen(source[j]);
                    for (std::size_t j = width; j < kPanel; ++j) panel[j] = 0.0F;
                  }
                });
}

/// `element(n, k)` is b[n][k] as fp32.
template <class T, class Element>
void transposed_product(Matrix<const float> a, Matrix<const T> b, Matrix<float> c, unsigned threads,
                        const Element& element) {
  NPU_ASSERT(a.cols == b.cols && c.rows == a.rows && c.cols == b.rows, "matrix shapes");
  float_product(a, b.rows, c, threads,
                [&](std::size_t k0, std::size_t depth, std::size_t n0, std::size_t width, float* panel) {
                  for (std::size_t j = 0; j < kPanel; ++j) {
                    if (j >= width) {
                      for (std::size_t k = 0; k < depth; ++k) panel[k * kPanel + j] = 0.0F;
                      continue;
                    }
                    const T* source = b.row(n0 + j) + k0;
                    for (std::size_t k = 0; k < depth; ++k) panel[k * kPanel + j] = element(n0 + j, source[k]);
                  }
                });
}

/// out[r * kIntCols + j] = sum over k of a[r][k] * b[j][k]; exact, so in any order.
struct IntTile {
  NPU_INLINE static void run(const std::int16_t* a, const std::int16_t* b, std::size_t depth, std::int32_t* out) {
    const std::int16_t *a0 = a, *a1 = a + depth, *a2 = a1 + depth, *a3 = a2 + depth, *b0 = b, *b1 = b + depth;
    std::int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
    for (std::size_t k = 0; k < depth; ++k) {
      s00 += a0[k] * b0[k];
      s01 += a0[k] * b1[k];
      s10 += a1[k] * b0[k];
      s11 += a1[k] * b1[k];
      s20 += a2[k] * b0[k];
      s21 += a2[k] * b1[k];
      s30 += a3[k] * b0[k];
      s31 += a3[k] * b1[k];
    }
    out[0] = s00;
    out[1] = s01;
    out[2] = s10;
    out[3] = s11;
    out[4] = s20;
    out[5] = s21;
    out[6] = s30;
    out[7] = s31;
  }
};

/// pack(n0, width, panel): panel[j][k] = b of output column n0 + j, contiguous along k; `columns_per_task` columns.
template <class Pack>
void int_product(Matrix<const std::int8_t> a, std::size_t columns, Matrix<std::int32_t> c, unsigned threads,
                 std::size_t columns_per_task, const Pack& pack) {
  const std::size_t depth = a.cols, padded = (a.rows + kIntRows - 1) / kIntRows * kIntRows;
  std::vector<std::int16_t> wide(padded * depth, 0);
  for (std::size_t r = 0; r < a.rows; ++r) std::copy_n(a.row(r), depth, &wide[r * depth]);
  parallel_for((columns + columns_per_task - 1) / columns_per_task, threads, [&](std::size_t p) {
    const std::size_t n0 = p * columns_per_task, width = std::min(columns_per_task, columns - n0);
    std::vector<std::int16_t> panel(columns_per_task * depth, 0);
    pack(n0, width, panel.data());
    std::array<std::int32_t, kIntRows * kIntCols> sums{};
    for (std::size_t j0 = 0; j0 < width; j0 += kIntCols)
      for (std::size_t r0 = 0; r0 < a.rows; r0 += kIntRows) {
        isa::Cloned<IntTile>::call(static_cast<const std::int16_t*>(&wide[r0 * depth]),
                                   static_cast<const std::int16_t*>(&panel[j0 * depth]), depth, sums.data());
        for (std::size_t r = r0; r < std::min(r0 + kIntRows, a.rows); ++r)
          for (std::size_t j = j0; j < std::min(j0 + kIntCols, width); ++j)
            c.row(r)[n0 + j] = sums[(r - r0) * kIntCols + (j - j0)];
      }
  });
}

}  // namespace

void matmul(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, unsigned threads) {
  product(a, b, c, threads);
}
void matmul(Matrix<const float> a, Matrix<const isa::Bf16> b, Matrix<float> c, unsigned threads) {
  product(a, b, c, threads);
}
void matmul_transposed(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, unsigned threads) {
  transposed_product(a, b, c, threads, [](std::size_t, float x) { return x; });
}
void matmul_transposed(Matrix<const float> a, Matrix<const isa::Bf16> b, Matrix<float> c, unsigned threads) {
  transposed_product(a, b, c, threads, [](std::size_t, isa::Bf16 x) { return isa::to_float(x); });
}
void matmul_dequantised(Matrix<const float> a, Matrix<const std::int8_t> b, std::span<const float> scale,
                        Matrix<float> c, unsigned threads) {
  NPU_ASSERT(scale.size() == b.rows, "one scale per output column");
  transposed_product(a, b, c, threads, [&](std::size_t n, std::int8_t x) { return static_cast<float>(x) * scale[n]; });
}

void matmul(Matrix<const std::int8_t> a, Matrix<const std::int8_t> b, Matrix<std::int32_t> c, unsigned threads) {
  NPU_ASSERT(a.cols == b.rows && c.rows == a.rows && c.cols == b.cols, "matrix shapes");
  constexpr std::size_t kColumns = 32;  // a row of b is read in pieces of 32 bytes
  int_product(a, b.cols, c, threads, kColumns, [&](std::size_t n0, std::size_t width, std::int16_t* panel) {
    for (std::size_t k = 0; k < b.rows; ++k) {
      const std::int8_t* source = b.row(k) + n0;
      for (std::size_t j = 0; j < width; ++j) panel[j * b.rows + k] = source[j];
    }
  });
}
void matmul_transposed(Matrix<const std::int8_t> a, Matrix<const std::int8_t> b, Matrix<std::int32_t> c,
                       unsigned threads) {
  NPU_ASSERT(a.cols == b.cols && c.rows == a.rows && c.cols == b.rows, "matrix shapes");
  constexpr std::size_t kColumns = 8;
  int_product(a, b.rows, c, threads, kColumns, [&](std::size_t n0, std::size_t width, std::int16_t* panel) {
    for (std::size_t j = 0; j < width; ++j) std::copy_n(b.row(n0 + j), b.cols, panel + j * b.cols);
  });
}

}  // namespace npu::kernels::reference
