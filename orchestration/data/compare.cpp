#include "orchestration/data/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

double to_double(isa::Fp16 x) { return static_cast<double>(isa::to_float(x)); }
double to_double(isa::Bf16 x) { return static_cast<double>(isa::to_float(x)); }
double to_double(float x) { return static_cast<double>(x); }
double to_double(std::integral auto x) { return static_cast<double>(x); }

/// How one element fares: it violates the rule where excess > 0; of violations the largest excess is the worst.
struct Verdict {
  double excess;
  double magnitude;  ///< what RatioRelDiff bounds by `worst`
};

Verdict judge(const AllClose& r, double a, double e) {
  return {std::abs(a - e) - (r.atol + r.rtol * std::abs(e)), 0.0};
}
Verdict judge(const RatioAllClose& r, double a, double e) { return judge(AllClose{r.atol, r.rtol}, a, e); }
Verdict judge(const RatioRelDiff& r, double a, double e) {
  const double difference = std::abs(a - e);
  const double floor = 0x1p-14 / r.d;
  const double x = difference < r.d ? difference : difference / (std::max({std::abs(a), std::abs(e), floor}) + 1e-9);
  return {x - r.d, x};
}
Verdict judge(const OffByOne&, double a, double e) { return {std::abs(a - e) - 1.0, 0.0}; }

Verdict judge(const RowAllClose& r, double a, double e) { return judge(AllClose{r.atol, r.rtol}, a, e); }

/// How many of `checked` elements in rows of `row_length` may violate the rule, before rounding.
double allowed(const AllClose&, std::uint64_t, std::uint64_t) { return 0.0; }
double allowed(const Exact&, std::uint64_t, std::uint64_t) { return 0.0; }
double allowed(const RowAllClose& r, std::uint64_t, std::uint64_t row_length) {
  return r.share * static_cast<double>(row_length);
}
template <class R>
double allowed(const R& r, std::uint64_t checked, std::uint64_t) {
  return r.share * static_cast<double>(checked);
}

double worst_bound(const RatioRelDiff& r) { return r.worst; }
template <class R>
double worst_bound(const R&) {
  return std::numeric_limits<double>::infinity();
}

struct Place {
  std::size_t part = 0;
  std::uint64_t element = 0;
};

/// Gathers one comparison over the parts of a result.
class Collector {
 public:
  template <class T, class R>
  void add(const R& rule, std::size_t part, std::span<const T> expected, std::span<const T> actual,
           std::uint64_t row_length, const ElementFilter& counts) {
    for (std::uint64_t i = 0; i < expected.size(); ++i) {
      if (counts && !counts(part, i)) continue;
      ++checked;
      if (row_.is_new(part, i / row_length)) ++rows;
      const double e = to_double(expected[i]);
      const double a = to_double(actual[i]);
      if (std::is_integral_v<T> && std::abs(a - e) == 1.0) ++off_by_one;
      if constexpr (std::is_same_v<R, Exact>) {
        const bool equal = std::memcmp(&expected[i], &actual[i], sizeof(T)) == 0;
        const double difference = std::abs(a - e);
        record(part, i, row_length, e, a,
               equal                    ? -1.0
               : std::isnan(difference) ? kInfinity
                                        : std::max(difference, kSmallest));
      } else if (!std::isfinite(a) || !std::isfinite(e)) {
        ++non_finite;
        record(part, i, row_length, e, a, kInfinity);
      } else {
        const Verdict v = judge(rule, a, e);
        if (v.excess > 0.0) largest_magnitude = std::max(largest_magnitude, v.magnitude);
        record(part, i, row_length, e, a, v.excess);
      }
    }
  }

  std::uint64_t checked = 0, violations = 0, non_finite = 0;
  double largest_magnitude = 0.0;
  Place worst, first, last;  ///< first and last: of the violations
  double worst_expected = 0.0, worst_got = 0.0;
  std::uint64_t rows = 0, bad_rows = 0, zeros = 0, off_by_one = 0;

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kSmallest = std::numeric_limits<double>::denorm_min();

  /// The latest row of a walk through all of them.
  struct Row {
    std::size_t part = 0;
    std::uint64_t row = std::numeric_limits<std::uint64_t>::max();
    bool is_new(std::size_t p, std::uint64_t r) {
      if (part == p && row == r) return false;
      part = p;
      row = r;
      return true;
    }
  };

  void record(std::size_t part, std::uint64_t element, std::uint64_t row_length, double e, double a, double excess) {
    if (excess > 0.0) {
      last = {part, element};
      if (violations++ == 0) first = last;
      if (bad_row_.is_new(part, element / row_length)) ++bad_rows;
      if (a == 0.0 && e != 0.0) ++zeros;
    }
    if (excess <= worst_excess_) return;
    worst_excess_ = excess;
    worst = {part, element};
    worst_expected = e;
    worst_got = a;
  }
  double worst_excess_ = -kInfinity;
  Row row_, bad_row_;
};

template <class R>
void add_part(Collector& collector, const R& rule, std::size_t part, const Tensor& expected, const Tensor& actual,
              const ElementFilter& counts) {
  const auto add = [&]<class T>(T) {
    collector.add(rule, part, expected.as<T>(), actual.as<T>(), expected.row_length(), counts);
  };
  switch (expected.dtype()) {
    case isa::DType::I8:
      return add(std::int8_t{});
    case isa::DType::U8:
      return add(std::uint8_t{});
    case isa::DType::I16:
      return add(std::int16_t{});
    case isa::DType::I32:
      return add(std::int32_t{});
    case isa::DType::I64:
      return add(std::int64_t{});
    case isa::DType::BF16:
      return add(isa::Bf16{});
    case isa::DType::F32:
      return add(float{});
    case isa::DType::F16:
      return add(isa::Fp16{});
  }
}

Shape index_of_element(const Shape& shape, std::uint64_t element) {
  Shape index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = element % shape[axis];
    element /= shape[axis];
  }
  return index;
}

void require_same_form(const Tensor& expected, const Tensor& actual) {
  if (expected.dtype() != actual.dtype() || expected.shape() != actual.shape()) {
    throw config_error("tensor '{}': expected {} {}, got {} {}", expected.name(), isa::name_of(expected.dtype()),
                       to_string(expected.shape()), isa::name_of(actual.dtype()), to_string(actual.shape()));
  }
}

Comparison compare_parts(const Rule& rule, std::span<const Tensor> expected, std::span<const Tensor> actual,
                         const ElementFilter& counts, bool over_cards) {
  NPU_ASSERT(!expected.empty() && expected.size() == actual.size(), "every rank has an expected and an actual tensor");
  Collector collector;
  Comparison c;
  c.name = expected.front().name();
  c.rule = to_string(rule);
  c.over_cards = over_cards;
  std::visit(
      [&](const auto& r) {
        for (std::size_t p = 0; p < expected.size(); ++p) {
          require_same_form(expected[p], actual[p]);
          add_part(collector, r, p, expected[p], actual[p], counts);
        }
        c.allowed =
            static_cast<std::uint64_t>(std::nearbyint(allowed(r, collector.checked, expected.front().row_length())));
        c.pass = collector.violations <= c.allowed && collector.non_finite == 0 &&
                 (collector.largest_magnitude == 0.0 || collector.largest_magnitude < worst_bound(r));
      },
      rule);
  c.checked = collector.checked;
  c.violations = collector.violations;
  c.non_finite = collector.non_finite;
  if (c.checked == 0) return c;
  c.share = static_cast<double>(c.violations) / static_cast<double>(c.checked);
  const auto index_of = [&](const Place& place) {
    Shape index = index_of_element(expected[place.part].shape(), place.element);
    if (over_cards) index.insert(index.begin(), place.part);
    return index;
  };
  c.worst_index = index_of(collector.worst);
  c.expected = collector.worst_expected;
  c.got = collector.worst_got;
  c.damage.rows = collector.rows;
  c.damage.off_by_one = collector.off_by_one;
  if (c.violations == 0) return c;
  c.damage.bad_rows = collector.bad_rows;
  c.damage.zeros = collector.zeros;
  c.damage.first = index_of(collector.first);
  c.damage.last = index_of(collector.last);
  return c;
}

/// The given rows of a tensor, one after the other.
Tensor gather_rows(const Tensor& tensor, std::span<const std::uint64_t> rows) {
  const std::uint64_t size = tensor.row_length() * isa::size_of(tensor.dtype());
  Tensor gathered = Tensor::zeros(tensor.name(), tensor.dtype(), {rows.size(), tensor.row_length()});
  const auto out = gathered.writable_bytes();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    NPU_ASSERT(rows[i] < tensor.row_count(), "a changed row lies in the pool");
    const auto row = tensor.bytes().subspan(rows[i] * size, size);
    std::copy(row.begin(), row.end(), out.begin() + static_cast<std::ptrdiff_t>(i * size));
  }
  return gathered;
}

/// The indices that a comparison holds.
std::vector<Shape*> indices_of(Comparison& c) {
  std::vector<Shape*> held;
  for (Shape* index : {&c.worst_index, &c.damage.first, &c.damage.last}) {
    if (!index->empty()) held.push_back(index);
  }
  return held;
}

/// Rows outside of `changed`, ascending, that differ.
std::vector<std::uint64_t> rows_with_other_bits(const Tensor& before, const Tensor& after,
                                                std::span<const std::uint64_t> changed) {
  std::vector<std::uint64_t> rows;
  const std::uint64_t size = before.row_length() * isa::size_of(before.dtype());
  auto next_change = changed.begin();
  for (std::uint64_t row = 0; row < before.row_count(); ++row) {
    if (next_change != changed.end() && *next_change == row) {
      ++next_change;
    } else if (std::memcmp(before.bytes().data() + row * size, after.bytes().data() + row * size, size) != 0) {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace

std::string to_string(const Rule& rule) {
  struct Text {
    std::string operator()(const AllClose& r) const {
      return fmt::format("allclose(atol {:g}, rtol {:g})", r.atol, r.rtol);
    }
    std::string operator()(const RatioAllClose& r) const {
      return fmt::format("ratio_allclose(atol {:g}, rtol {:g}, at most {:g} %)", r.atol, r.rtol, 100.0 * r.share);
    }
    std::string operator()(const RatioRelDiff& r) const {
      const std::string worst = std::isinf(r.worst) ? "" : fmt::format(", worst below {:g}", r.worst);
      return fmt::format("ratio_reldiff({:g}, at most {:g} %{})", r.d, 100.0 * r.share, worst);
    }
    std::string operator()(const RowAllClose& r) const {
      return fmt::format("row_allclose(atol {:g}, rtol {:g}, at most {:g} % of one row)", r.atol, r.rtol,
                         100.0 * r.share);
    }
    std::string operator()(const Exact&) const { return "exact"; }
    std::string operator()(const OffByOne& r) const {
      return fmt::format("off by at most 1, more at most {:g} %", 100.0 * r.share);
    }
  };
  return std::visit(Text{}, rule);
}

Comparison compare(const Rule& rule, const Tensor& expected, const Tensor& actual, const ElementFilter& counts) {
  return compare_parts(rule, {&expected, 1}, {&actual, 1}, counts, false);
}

Comparison compare_ranks(const Rule& rule, std::span<const Tensor> expected, std::span<const Tensor> actual,
                         const ElementFilter& counts) {
  return compare_parts(rule, expected, actual, counts, true);
}

PoolComparison compare_pool(const Rule& rule, std::span<const Tensor> before, std::span<const PoolChanges> changes,
                            std::span<const Tensor> after) {
  NPU_ASSERT(before.size() == after.size() && before.size() == changes.size(), "every rank has a pool and its changes");
  std::vector<Tensor> expected, actual, kept, broken;
  std::vector<std::vector<std::uint64_t>> broken_rows(before.size());
  std::uint64_t untouched = 0, untouched_rows = 0;
  for (std::size_t r = 0; r < before.size(); ++r) {
    require_same_form(before[r], after[r]);
    expected.push_back(changes[r].values);
    actual.push_back(gather_rows(after[r], changes[r].rows));
    broken_rows[r] = rows_with_other_bits(before[r], after[r], changes[r].rows);
    // Few, so that only they are compared by element.
    kept.push_back(gather_rows(before[r], broken_rows[r]));
    broken.push_back(gather_rows(after[r], broken_rows[r]));
    untouched_rows += before[r].row_count() - changes[r].rows.size();
    untouched += (before[r].row_count() - changes[r].rows.size()) * before[r].row_length();
  }
  PoolComparison result{compare_ranks(rule, expected, actual), compare_ranks(Exact{}, kept, broken)};
  result.changed.name = before.front().name() + ".vals";
  for (Shape* index : indices_of(result.changed)) (*index)[1] = changes[(*index)[0]].rows[(*index)[1]];
  result.untouched.name = before.front().name() + ".untouched";
  for (Shape* index : indices_of(result.untouched)) (*index)[1] = broken_rows[(*index)[0]][(*index)[1]];
  result.untouched.checked = untouched;
  result.untouched.damage.rows = untouched_rows;
  result.untouched.share =
      untouched == 0 ? 0.0 : static_cast<double>(result.untouched.violations) / static_cast<double>(untouched);
  return result;
}

}  // namespace npu::orch
