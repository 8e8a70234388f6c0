// Comparison of results with expectations by the reference's rules (decode-layer.md S15).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "orchestration/data/layer_case.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// a is the actual value, e the expected one, n the number of compared elements. Differences are taken in double;
/// counts round(share * n) round halves to even. In every rule but Exact an element that is NaN or infinite on either
/// side fails the comparison.

/// |a - e| <= atol + rtol * |e| everywhere.
struct AllClose {
  double atol, rtol;
};
/// At most round(share * n) elements outside of AllClose.
struct RatioAllClose {
  double atol, rtol, share = 0.005;
};
/// x = |a - e| where that is below d, else |a - e| / (max(|a|, |e|, 2^-14 / d) + 1e-9). At most round(share * n)
/// elements with x > d, and the largest of them below `worst`.
struct RatioRelDiff {
  double d, share, worst = std::numeric_limits<double>::infinity();
};
/// Equal bits; two infinities or NaNs of the same bits are equal.
struct Exact {};
/// At most round(share * n) elements with |a - e| > 1.
struct OffByOne {
  double share = 0.0;
};
/// At most round(share * row length) elements of the whole tensor outside of AllClose.
struct RowAllClose {
  double atol, rtol, share = 0.005;
};
using Rule = std::variant<AllClose, RatioAllClose, RatioRelDiff, Exact, OffByOne, RowAllClose>;

/// "ratio_allclose(atol 0.0001, rtol 0.0078125, at most 0.5 %)".
[[nodiscard]] std::string to_string(const Rule& rule);

/// Where the violations lie and what they look like.
struct Damage {
  std::uint64_t bad_rows = 0, rows = 0;  ///< of the last axis: with a violation, and with a compared element
  Shape first, last;                     ///< indices of the first and the last violation; empty where there is none
  std::uint64_t zeros = 0;               ///< violations that are 0 where something else is expected
  /// Elements that differ by exactly 1 in a result of integers, violations or not: for int8, flips of the rounding.
  std::uint64_t off_by_one = 0;
};

/// Indices of a comparison over the tensors of all cards begin with the card.
struct Comparison {
  std::string name, rule;
  bool over_cards = false;
  std::uint64_t checked = 0;
  std::uint64_t violations = 0;  ///< elements outside of the rule's bound, non-finite ones among them
  std::uint64_t allowed = 0;
  std::uint64_t non_finite = 0;
  double share = 0.0;  ///< violations / checked
  Shape worst_index;   ///< of the first non-finite element, else of the largest excess; empty where nothing was checked
  double expected = 0.0, got = 0.0;  ///< there
  Damage damage;
  std::string cause;  ///< why it fails, where that is known
  bool pass = true;   ///< also where nothing was checked
};

/// Which elements count; an empty function means all. `part` is the position in the span of tensors.
using ElementFilter = std::function<bool(std::size_t part, std::uint64_t element)>;

/// One tensor, or the tensors of all ranks as one with a leading rank axis (n counts all of them). dtypes and shapes
/// must agree: ConfigError else.
[[nodiscard]] Comparison compare(const Rule& rule, const Tensor& expected, const Tensor& actual,
                                 const ElementFilter& counts = {});
[[nodiscard]] Comparison compare_ranks(const Rule& rule, std::span<const Tensor> expected,
                                       std::span<const Tensor> actual, const ElementFilter& counts = {});

/// The pools of all ranks, given by their changed rows: those follow the rule ("<name>.vals"), all others keep the bits
/// they had ("<name>.untouched"); worst_index is [rank, row, element].
struct PoolComparison {
  Comparison changed, untouched;
};
[[nodiscard]] PoolComparison compare_pool(const Rule& rule, std::span<const Tensor> before,
                                          std::span<const PoolChanges> changes, std::span<const Tensor> after);

}  // namespace npu::orch
