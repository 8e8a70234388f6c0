// Text from a user's file as messages and tables may show it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace npu::isa {

/// Bytes that `shown` keeps: enough to recognise a name, little enough for a message.
inline constexpr std::size_t kMostShownBytes = 80;

/// Offset of the first byte that does not belong to printable UTF-8: a control character (C0, DEL, C1), or no UTF-8.
[[nodiscard]] std::optional<std::size_t> first_unprintable(std::string_view text);
/// The text with such bytes as \xNN; line breaks stay.
[[nodiscard]] std::string printable(std::string_view text);
/// The same on one line, and cut to kMostShownBytes with "..." behind them.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace npu::isa
