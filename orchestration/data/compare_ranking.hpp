// Comparison of rankings, whose order may differ between equally good implementations (decode-layer.md S15, topk).
#pragma once

#include <cstdint>
#include <span>

#include "orchestration/data/compare.hpp"

namespace npu::orch {

/// Rows of codes in descending order of score, then -1; entry j of a row has the code first_code + j. `scores` are the
/// run's own, with the rows of `actual` and a column per entry. An element violates where it differs from the expected
/// one, unless the order alone differs and the score order stays descending: both are codes, the actual one stands once
/// in its row and names an entry whose score is the i-th largest of the row, i its column. No element may violate.
/// One tensor per rank; worst_index is the first violation.
[[nodiscard]] Comparison compare_ranking(std::span<const Tensor> expected, std::span<const Tensor> actual,
                                         std::span<const Tensor> scores, std::int32_t first_code);

}  // namespace npu::orch
