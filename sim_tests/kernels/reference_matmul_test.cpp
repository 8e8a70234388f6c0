#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "isa/numerics/host_variant.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/parallel.hpp"

namespace {

using namespace npu;
using namespace npu::kernels::reference;
using isa::Bf16;

struct Shape {
  std::size_t m, n, k;
};
// Odd extents leave incomplete register tiles and panels; 1100 spans three depth blocks.
const Shape kShapes[] = {{1, 1, 1}, {7, 17, 5}, {13, 33, 1100}, {6, 16, 512}, {0, 3, 4}, {5, 35, 70}};

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 engine{seed};
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(static_cast<int>(engine() % 20001) - 10000) / 3000.0F;
  return out;
}
std::vector<Bf16> random_bf16(std::size_t n, unsigned seed) {
  std::vector<Bf16> out;
  for (const float x : random_floats(n, seed)) out.push_back(isa::to_bf16(x));
  return out;
}
std::vector<std::int8_t> random_i8(std::size_t n, unsigned seed) {
  std::mt19937 engine{seed};
  std::vector<std::int8_t> out(n);
  for (std::int8_t& x : out) x = static_cast<std::int8_t>(static_cast<int>(engine() % 256) - 128);
  return out;
}

template <class Element>
std::vector<float> chain(const Shape& s, const std::vector<float>& a, std::size_t a_pitch, const Element& b) {
  std::vector<float> c(s.m * s.n);
  for (std::size_t i = 0; i < s.m; ++i)
    for (std::size_t j = 0; j < s.n; ++j) {
      float acc = 0.0F;
      for (std::size_t k = 0; k < s.k; ++k) acc = std::fma(a[i * a_pitch + k], b(k, j), acc);
      c[i * s.n + j] = acc;
    }
  return c;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Runs `body` under every vector extension of this processor.
template <class Body>
void for_each_variant(const Body& body) {
  const isa::HostVariant chosen = isa::host_variant();
  for (const auto variant : {isa::HostVariant::Baseline, isa::HostVariant::Avx2, isa::HostVariant::Avx512}) {
    if (!isa::host_supports(variant)) continue;
    isa::select_host_variant(variant);
    body();
  }
  isa::select_host_variant(chosen);
}

TEST_CASE("float products are the fma chain along k, bit for bit, for every vector width and thread count",
          "[reference][matmul]") {
  for (const Shape& s : kShapes) {
    const std::size_t pitch = s.k + 3;
    const std::vector<float> a = random_floats(s.m * pitch, 1), b = random_floats(s.n * s.k, 2);
    const std::vector<Bf16> narrow = random_bf16(s.n * s.k, 3);
    const std::vector<std::int8_t> i8 = random_i8(s.n * s.k, 4);
    const std::vector<float> scale = random_floats(s.n, 5);
    const Matrix<const float> left{a.data(), s.m, s.k, pitch};
    const auto kn = chain(s, a, pitch, [&](std::size_t k, std::size_t j) { return b[k * s.n + j]; });
    const auto nk = chain(s, a, pitch, [&](std::size_t k, std::size_t j) { return b[j * s.k + k]; });
    const auto kn16 = chain(s, a, pitch, [&](std::size_t k, std::size_t j) { return to_float(narrow[k * s.n + j]); });
    const auto nk16 = chain(s, a, pitch, [&](std::size_t k, std::size_t j) { return to_float(narrow[j * s.k + k]); });
    const auto nk8 = chain(
        s, a, pitch, [&](std::size_t k, std::size_t j) { return static_cast<float>(i8[j * s.k + k]) * scale[j]; });
    for_each_variant([&] {
      for (const unsigned threads : {1U, 3U}) {
        std::vector<float> c(s.m * s.n);
        const Matrix<float> out{c.data(), s.m, s.n};
        matmul(left, Matrix<const float>{b.data(), s.k, s.n}, out, threads);
        CHECK(same_bits(c, kn));
        matmul_transposed(left, Matrix<const float>{b.data(), s.n, s.k}, out, threads);
        CHECK(same_bits(c, nk));
        matmul(left, Matrix<const Bf16>{narrow.data(), s.k, s.n}, out, threads);
        CHECK(same_bits(c, kn16));
        matmul_transposed(left, Matrix<const Bf16>{narrow.data(), s.n, s.k}, out, threads);
        CHECK(same_bits(c, nk16));
        matmul_dequantised(left, Matrix<const std::int8_t>{i8.data(), s.n, s.k}, scale, out, threads);
        CHECK(same_bits(c, nk8));
      }
    });
  }
}

TEST_CASE("int8 products are exact, also at the ends of the range", "[reference][matmul]") {
  for (const Shape& s : kShapes)
    for (const bool extreme : {false, true}) {
      const std::vector<std::int8_t> a = extreme ? std::vector<std::int8_t>(s.m * s.k, -128) : random_i8(s.m * s.k, 1);
      const std::vector<std::int8_t> b = extreme ? std::vector<std::int8_t>(s.n * s.k, -128) : random_i8(s.n * s.k, 2);
      std::vector<std::int32_t> kn(s.m * s.n, 0), nk(s.m * s.n, 0);
      for (std::size_t i = 0; i < s.m; ++i)
        for (std::size_t j = 0; j < s.n; ++j)
          for (std::size_t k = 0; k < s.k; ++k) {
            kn[i * s.n + j] += a[i * s.k + k] * b[k * s.n + j];
            nk[i * s.n + j] += a[i * s.k + k] * b[j * s.k + k];
          }
      for_each_variant([&] {
        for (const unsigned threads : {1U, 3U}) {
          std::vector<std::int32_t> c(s.m * s.n);
          matmul({a.data(), s.m, s.k}, Matrix<const std::int8_t>{b.data(), s.k, s.n}, {c.data(), s.m, s.n}, threads);
          CHECK(c == kn);
          matmul_transposed({a.data(), s.m, s.k}, Matrix<const std::int8_t>{b.data(), s.n, s.k}, {c.data(), s.m, s.n},
                            threads);
          CHECK(c == nk);
        }
      });
    }
}

TEST_CASE("parallel_for runs every index once and rethrows the failure of the smallest", "[reference][matmul]") {
  for (const unsigned threads : {0U, 1U, 4U}) {
    std::vector<int> runs(100, 0);
    parallel_for(runs.size(), threads, [&](std::size_t i) { ++runs[i]; });
    CHECK(runs == std::vector<int>(100, 1));
    CHECK_THROWS_WITH(parallel_for(100, threads,
                                   [](std::size_t i) {
                                     if (i >= 5) throw std::runtime_error(std::to_string(i));
                                   }),
                      "5");
  }
}

}  // namespace
