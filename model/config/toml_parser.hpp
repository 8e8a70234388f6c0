// TOML of users' files: the one place that includes the library and knows what it must not be given.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace npu::model {

/// Throws what parse_toml turns into a ConfigError.
[[noreturn]] void toml_contract_broken();

}  // namespace npu::model

// Some texts that are no TOML break assertions of the parser (version 3.3) where it should report them. Here an
// assertion throws, in every build: the library drops it under NDEBUG, and then reads on without ground.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? static_cast<void>(0) : ::npu::model::toml_contract_broken())
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace npu::model {

/// Far above any machine or preset; bounds the time of parsing.
inline constexpr std::size_t kMostTomlBytes = 1U << 20U;
/// Brackets inside one another, and names in a dotted key: the parser recurses over both.
inline constexpr std::size_t kMostTomlLevels = 16;

/// The content of a file. Throws ConfigError where the path is no readable regular file or the file is longer than
/// kMostTomlBytes.
[[nodiscard]] std::string read_toml_file(const std::string& path);

/// The table of a text; `file` opens messages, with the line. Throws ConfigError for more bytes or levels than the
/// limits, for bytes that only strings and comments may hold, and for what is no TOML.
[[nodiscard]] toml::table parse_toml(std::string_view text, const std::string& file);

}  // namespace npu::model
