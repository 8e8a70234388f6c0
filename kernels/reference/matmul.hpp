// Matrix products of the references: one summation order for every host, thread count and vector width.
//
// Float: c[i][j] is the chain acc = fma(a[i][k], b[k][j], acc) for k = 0, 1, .., K-1 from acc = 0, in fp32. Products of
// widened bf16 values are exact in fp32, so there a multiply followed by an add gives the same bits.
// Int8: exact int32 (|sum| < 2^31 for K <= 131071).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"

namespace npu::kernels::reference {

/// A row-major matrix in somebody else's memory.
template <class T>
struct Matrix {
  T* data = nullptr;
  std::size_t rows = 0, cols = 0;
  std::size_t pitch = 0;  ///< elements between rows

  Matrix(T* d, std::size_t r, std::size_t c) : Matrix{d, r, c, c} {}
  Matrix(T* d, std::size_t r, std::size_t c, std::size_t p) : data{d}, rows{r}, cols{c}, pitch{p} {}
  [[nodiscard]] T* row(std::size_t r) const { return data + r * pitch; }
};

/// c [M,N] = a [M,K] @ b [K,N].
void matmul(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, unsigned threads = 1);
void matmul(Matrix<const float> a, Matrix<const isa::Bf16> b, Matrix<float> c, unsigned threads = 1);
/// c [M,N] = a [M,K] @ b^T, b [N,K].
void matmul_transposed(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, unsigned threads = 1);
void matmul_transposed(Matrix<const float> a, Matrix<const isa::Bf16> b, Matrix<float> c, unsigned threads = 1);
/// c [M,N] = a [M,K] @ w^T with w[n][k] = fp32(b[n][k]) * scale[n], b [N,K].
void matmul_dequantised(Matrix<const float> a, Matrix<const std::int8_t> b, std::span<const float> scale,
                        Matrix<float> c, unsigned threads = 1);

/// c [M,N] = a [M,K] @ b [K,N].
void matmul(Matrix<const std::int8_t> a, Matrix<const std::int8_t> b, Matrix<std::int32_t> c, unsigned threads = 1);
/// c [M,N] = a [M,K] @ b^T, b [N,K].
void matmul_transposed(Matrix<const std::int8_t> a, Matrix<const std::int8_t> b, Matrix<std::int32_t> c,
                       unsigned threads = 1);

}  // namespace npu::kernels::reference
