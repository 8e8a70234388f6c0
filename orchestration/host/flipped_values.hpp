// Whether a result differs from its expectation because int8 values of the rows in front of its last product do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/data/compare.hpp"
#include "orchestration/host/compare_outputs.hpp"

namespace npu::orch {

/// y = ((f32) x . w^T * x_scale) * w_scale in bf16, of rows that the device quantised.
struct QuantisedProduct {
  std::string_view y, x, x_scale, w, w_scale;  ///< [T, N] bf16, [T, K] i8, [T, 1] f32, [N, K] i8, [N] f32
};
/// The product that ends in this output; null where none does.
[[nodiscard]] const QuantisedProduct* product_of(std::string_view output);

/// One clause on the values of x that would have to be other integers for the device's result to meet the expectation:
/// their number, the first of them, and how many of the failing rows they explain. Empty where they explain none. An
/// expectation does not hold x: its values are found by their columns of w in the difference of a row, greedily, and
/// a row counts as explained if the rule finds no violation in it once they are put in.
[[nodiscard]] std::string flipped_values(const QuantisedProduct& product, const Rule& rule,
                                         std::span<const Tensor> expected, const ReadRanks& on_cards);

}  // namespace npu::orch
