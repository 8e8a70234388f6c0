#include "sim_tests/support/closeness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace npu::test {
namespace {

/// Fills everything but `ok`; is_bad(a, e) judges one element.
template <class IsBad>
Closeness measure(std::span<const float> actual, std::span<const float> expected, double ratio, const IsBad& is_bad) {
  Closeness c;
  c.count = expected.size();
  if (actual.size() != expected.size()) {
    c.bad = std::max(actual.size(), expected.size());
    return c;
  }
  bool finite = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = static_cast<double>(actual[i]), e = static_cast<double>(expected[i]);
    if (a == e) continue;
    ++c.unequal;
    if (!std::isfinite(a)) finite = false;
    const double difference = std::fabs(a - e);
    if (!(difference <= c.worst)) {
      c.worst = difference;
      c.worst_at = i;
    }
    if (is_bad(a, e)) ++c.bad;
  }
  c.ok = finite && static_cast<double>(c.bad) <= std::round(ratio * static_cast<double>(c.count));
  return c;
}

}  // namespace

std::string Closeness::describe() const {
  return fmt::format("{} of {} outside the rule, {} unequal, largest difference {:.3g} at {}", bad, count, unequal,
                     worst, worst_at);
}

Closeness allclose(std::span<const float> actual, std::span<const float> expected, double atol, double rtol,
                   double ratio) {
  return measure(actual, expected, ratio,
                 [=](double a, double e) { return !(std::fabs(a - e) <= atol + rtol * std::fabs(e)); });
}

Closeness reldiff(std::span<const float> actual, std::span<const float> expected, double limit, double ratio) {
  return measure(actual, expected, ratio, [=](double a, double e) {
    const double difference = std::fabs(a - e);
    const double scale = std::max({std::fabs(a), std::fabs(e), std::ldexp(1.0, -14) / limit}) + 1e-9;
    return !((difference < limit ? difference : difference / scale) <= limit);
  });
}

double relative_l2(std::span<const float> actual, std::span<const float> expected) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = static_cast<double>(actual[i]), e = static_cast<double>(expected[i]);
    if (a == e && std::fabs(e) > 1e30) continue;
    difference += (a - e) * (a - e);
    norm += e * e;
  }
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

double worst_row_l2(std::span<const float> actual, std::span<const float> expected, std::size_t width) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); i += width) {
    const double row = relative_l2(actual.subspan(i, width), expected.subspan(i, width));
    if (!(row <= worst)) worst = row;
  }
  return worst;
}

}  // namespace npu::test
