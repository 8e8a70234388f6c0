// Elementary functions in double precision from additions, multiplications and divisions only, so that tables made on
// the host have the same bits everywhere. Relative error below 1e-14 in the stated ranges (tested against the host's
// library); used where tables are built, never per element.
#pragma once

namespace npu::orch {

[[nodiscard]] double exp_f64(double x);  ///< |x| < 700
[[nodiscard]] double log_f64(double x);  ///< positive, finite
struct SinCos {
  double sin, cos;
};
[[nodiscard]] SinCos sin_cos_f64(double x);  ///< |x| < 2^20; absolute error below 1e-15

}  // namespace npu::orch
