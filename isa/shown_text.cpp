#include "isa/shown_text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace npu::isa {
namespace {

/// Bytes of the character at the beginning of the text; 0 where it is no UTF-8 or a control character.
std::size_t printable_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0xa0, 0x800, 0x10000};  // of two bytes: behind the C1 control characters
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kLeast[size] || surrogate || code > 0x10ffff ? 0 : size;
}

std::string escaped(std::string_view text, bool keep_line_breaks) {
  std::string result;
  while (!text.empty()) {
    std::size_t size = printable_bytes(text);
    if (size != 0 || (keep_line_breaks && text[0] == '\n')) {
      size = size == 0 ? 1 : size;
      result += text.substr(0, size);
    } else {
      size = 1;
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace

std::optional<std::size_t> first_unprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = printable_bytes(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

std::string printable(std::string_view text) { return escaped(text, true); }

std::string shown(std::string_view text) {
  if (text.size() <= kMostShownBytes) return escaped(text, false);
  // Never in the middle of a character.
  std::size_t end = kMostShownBytes;
  for (int back = 0; back < 3 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80; ++back) --end;
  return escaped(text.substr(0, end), false) + "...";
}

}  // namespace npu::isa
