// exp and ln against double precision, and against themselves on every host variant.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "isa/numerics/host_variant.hpp"
#include "isa/numerics/numerics.hpp"

namespace npu::isa {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Distance from the exact value in units of the last place of the result.
double error_ulp(float got, double exact) {
  const double unit = std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
  return std::abs(static_cast<double>(got) - exact) / unit;
}

// About a million floats, evenly over all bit patterns.
std::vector<float> dense_sample() {
  std::vector<float> result;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099) {
    result.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  return result;
}

}  // namespace

TEST_CASE("exp is within 0.51 ulp of the exact value, subnormal results included", "[numerics]") {
  double worst = 0;
  for (float x = -103.9F; x < 88.7F; x += 0.00037F) {
    worst = std::max(worst, error_ulp(exp_f32(x), std::exp(static_cast<double>(x))));
  }
  for (float x = 1e-10F; x < 1; x *= 1.001F) {
    worst = std::max(worst, error_ulp(exp_f32(x), std::exp(static_cast<double>(x))));
    worst = std::max(worst, error_ulp(exp_f32(-x), std::exp(static_cast<double>(-x))));
  }
  CHECK(worst <= 0.51);
}

TEST_CASE("ln is within 0.51 ulp of the exact value", "[numerics]") {
  double worst = 0;
  for (std::uint32_t bits = 1; bits < 0x7f800000U; bits += 2003) {
    const float x = std::bit_cast<float>(bits);
    worst = std::max(worst, error_ulp(log_f32(x), std::log(static_cast<double>(x))));
  }
  for (std::uint32_t i = 1; i < 200000; ++i) {  // around one, where the result is small
    for (const std::uint32_t bits : {0x3f800000U + i, 0x3f800000U - i}) {
      const float x = std::bit_cast<float>(bits);
      worst = std::max(worst, error_ulp(log_f32(x), std::log(static_cast<double>(x))));
    }
  }
  CHECK(worst <= 0.51);
}

TEST_CASE("exp, ln and rsqrt treat the special values as mathematics does", "[numerics]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(exp_f32(0.0F) == 1.0F);
  CHECK(exp_f32(-kInfinity) == 0.0F);
  CHECK(exp_f32(kInfinity) == kInfinity);
  CHECK(exp_f32(88.73F) == kInfinity);
  CHECK(exp_f32(88.72F) < kInfinity);
  CHECK(exp_f32(-104.0F) == 0.0F);
  CHECK(exp_f32(-103.9F) == std::numeric_limits<float>::denorm_min());
  CHECK(std::isnan(exp_f32(nan)));
  CHECK(log_f32(1.0F) == 0.0F);
  CHECK(log_f32(0.0F) == -kInfinity);
  CHECK(log_f32(-0.0F) == -kInfinity);
  CHECK(log_f32(kInfinity) == kInfinity);
  CHECK(std::isnan(log_f32(-1.0F)));
  CHECK(std::isnan(log_f32(nan)));
  CHECK(rsqrt_f32(4.0F) == 0.5F);
  CHECK(rsqrt_f32(0.0F) == kInfinity);
  CHECK(rsqrt_f32(kInfinity) == 0.0F);
  CHECK(std::isnan(rsqrt_f32(-1.0F)));
}

TEST_CASE("the vector forms of exp and ln give the bits of the scalar forms on every host variant", "[numerics]") {
  const std::vector<float> x = dense_sample();
  std::vector<float> e(x.size()), l(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    e[i] = exp_f32(x[i]);
    l[i] = log_f32(x[i]);
  }
  const HostVariant usual = host_variant();
  for (const HostVariant v : {HostVariant::Baseline, HostVariant::Avx2, HostVariant::Avx512}) {
    if (!host_supports(v)) continue;
    select_host_variant(v);
    std::vector<float> got(x.size());
    exp_f32(x.data(), got.data(), x.size());
    CHECK(std::memcmp(got.data(), e.data(), e.size() * sizeof(float)) == 0);
    log_f32(x.data(), got.data(), x.size());
    CHECK(std::memcmp(got.data(), l.data(), l.size() * sizeof(float)) == 0);
  }
  select_host_variant(usual);
}

}  // namespace npu::isa
