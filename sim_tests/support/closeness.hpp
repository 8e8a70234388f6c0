// Comparison rules of the goldens (decode-layer.md S15).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "isa/numerics/numerics.hpp"

namespace npu::test {

struct Closeness {
  bool ok = false;
  std::size_t bad = 0, count = 0;  ///< elements outside the rule, elements in all
  std::size_t unequal = 0;         ///< elements that differ at all
  double worst = 0;                ///< largest absolute difference
  std::size_t worst_at = 0;        ///< its index

  [[nodiscard]] std::string describe() const;
};

/// At most round(ratio * n) elements with |a-e| > atol + rtol*|e|. A NaN or infinity in `actual` fails unless the same
/// infinity is expected.
[[nodiscard]] Closeness allclose(std::span<const float> actual, std::span<const float> expected, double atol,
                                 double rtol, double ratio);
/// x = |a-e| if that is < limit, else |a-e| / (max(|a|, |e|, 2^-14/limit) + 1e-9); at most round(ratio * n) elements
/// with x > limit. NaN and infinity fail.
[[nodiscard]] Closeness reldiff(std::span<const float> actual, std::span<const float> expected, double limit,
                                double ratio);
/// |a-e|_2 / |e|_2; 0 for equal vectors. Equal elements beyond 1e30 (the "no score" value) do not count into |e|.
[[nodiscard]] double relative_l2(std::span<const float> actual, std::span<const float> expected);
/// Largest relative_l2 of the rows of `width` elements.
[[nodiscard]] double worst_row_l2(std::span<const float> actual, std::span<const float> expected, std::size_t width);

/// Any element type as fp32 values.
template <class T>
[[nodiscard]] std::vector<float> as_floats(std::span<const T> values) {
  std::vector<float> out;
  out.reserve(values.size());
  for (const T& v : values) {
    if constexpr (std::is_same_v<T, isa::Bf16>)
      out.push_back(isa::to_float(v));
    else
      out.push_back(static_cast<float>(v));
  }
  return out;
}

}  // namespace npu::test
