// JSON of users' files: bounded in depth, and no name twice.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace npu::orch {

/// Arrays and objects inside one another; the files of this project need three.
inline constexpr std::size_t kMostJsonLevels = 16;

/// The value of a whole text; `what` opens messages ("x.safetensors: the header"). Throws ConfigError for what is no
/// JSON, nests deeper than kMostJsonLevels, or names one member of an object twice.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, std::string_view what);

/// A value as messages show it: scalars as written, cut where they are long; of arrays and objects only the size.
[[nodiscard]] std::string shown(const nlohmann::json& value);

}  // namespace npu::orch
