// "Did you mean": the name that a misspelt one is closest to.
#pragma once

#include <span>
#include <string_view>

namespace npu::model {

/// Candidate with the fewest insertions, deletions and replacements; one that only differs in its section
/// ("link.clock_mhz", "core.clock_mhz") wins over all. The first of equals. Candidates are not empty.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace npu::model
