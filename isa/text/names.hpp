// Words of the text form: identifiers, quoted strings, names of argument kinds.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/program.hpp"

namespace npu::isa {

inline constexpr std::array<std::string_view, 5> kArgKindNames{"in", "out", "inout", "scalar",
                                                               "workspace"};  ///< by ArgKind

inline constexpr std::size_t kMostNameBytes = 255;

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }  ///< ASCII

/// Why kernels, parts, tiles and arguments may not be called this: "has 300 bytes; a name has at most 255", "holds byte
/// 0x1b at 3; a name is printable UTF-8". Names reach terminals, JSON and waveforms.
[[nodiscard]] std::optional<std::string> name_error(std::string_view name);

/// A letter or underscore, then letters, digits and underscores (ASCII).
[[nodiscard]] bool is_identifier(std::string_view name);
/// One identifier per name: the name itself where that is an identifier not used before, else a similar one.
[[nodiscard]] std::vector<std::string> unique_identifiers(std::span<const std::string> names);
/// In double quotes; quote, backslash and bytes outside printable ASCII as \xNN.
[[nodiscard]] std::string quoted(std::string_view text);
/// The name itself if it is an identifier, else quoted.
[[nodiscard]] std::string written_name(std::string_view name);

}  // namespace npu::isa
