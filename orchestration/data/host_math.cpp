#include "orchestration/data/host_math.hpp"

#include <cmath>
#include <cstdint>

namespace npu::orch {
namespace {

constexpr double kLn2 = 0.693147180559945309417;
// pi/2 in three pieces of 33, 33 and 53 bits: multiples of the first two by a 20-bit integer are exact.
constexpr double kHalfPiHigh = 0x1.921fb544p+0;
constexpr double kHalfPiMiddle = 0x1.0b4611a6p-34;
constexpr double kHalfPiLow = 0x1.3198a2e037073p-69;

}  // namespace

double exp_f64(double x) {
  const double k = std::floor(x / kLn2 + 0.5);
  // ln 2 in two pieces; multiples of the first by an 11-bit integer are exact.
  constexpr double kLn2High = 0x1.62e42feep-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  const double r = (x - k * kLn2High) - k * kLn2Low;  // |r| < 0.35
  double term = 1.0;
  double sum = 1.0;
  for (int n = 1; n <= 16; ++n) {
    term = term * r / n;
    sum += term;
  }
  return std::ldexp(sum, static_cast<int>(k));
}

double log_f64(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [0.5, 1)
  if (m < 0.70710678118654752440) {
    m *= 2.0;
    --exponent;
  }
  const double t = (m - 1.0) / (m + 1.0);  // log m = 2 atanh t, |t| < 0.172
  const double t2 = t * t;
  double sum = 0.0;
  for (int n = 25; n >= 1; n -= 2) sum = sum * t2 + 1.0 / n;
  return 2.0 * t * sum + exponent * kLn2;
}

SinCos sin_cos_f64(double x) {
  const double k = std::floor(x / (kHalfPiHigh + kHalfPiMiddle) + 0.5);
  const double r = ((x - k * kHalfPiHigh) - k * kHalfPiMiddle) - k * kHalfPiLow;  // |r| <= pi/4
  const double r2 = r * r;
  double sine = 0.0;
  double cosine = 0.0;
  for (int n = 20; n >= 2; n -= 2) {  // Horner over the factorials of the Taylor series
    cosine = 1.0 - (r2 / ((n - 1) * n)) * (n == 20 ? 1.0 : cosine);
    sine = 1.0 - (r2 / (n * (n + 1))) * (n == 20 ? 1.0 : sine);
  }
  sine *= r;
  switch (static_cast<std::int64_t>(k) & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

}  // namespace npu::orch
