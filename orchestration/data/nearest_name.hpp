// "Did you mean": the known name closest to a misspelt one.
#pragma once

#include <span>
#include <string_view>

namespace npu::orch {

/// The candidate with the smallest edit distance, the first of several; empty without candidates.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace npu::orch
