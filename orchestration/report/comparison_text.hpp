// What the comparisons of a run found, for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "orchestration/data/compare.hpp"

namespace npu::orch {

/// A row per output, and under a failing one where and how it fails.
[[nodiscard]] std::string comparison_table(const std::vector<Comparison>& outputs);
/// Why an output fails, in one clause.
[[nodiscard]] std::string failure_clause(const Comparison& failed);
/// Outputs of which at least one element was compared.
[[nodiscard]] std::size_t compared_outputs(const std::vector<Comparison>& outputs);

}  // namespace npu::orch
