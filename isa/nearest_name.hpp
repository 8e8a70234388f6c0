// "Did you mean": the name that a misspelt one is closest to.
#pragma once

#include <span>
#include <string_view>

namespace npu::isa {

/// Candidate with the fewest insertions, deletions and replacements, the first of equals. Those whose last part
/// contains the last part of the name ("clock" or "link.clock_mhz": "core.clock_mhz") go before all others. Candidates
/// are not empty. Of longer names only the first 256 bytes count.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace npu::isa
