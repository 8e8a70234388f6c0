#include "isa/text/names.hpp"

#include <fmt/format.h>

#include <set>

#include "isa/shown_text.hpp"

namespace npu::isa {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string to_identifier(std::string_view name) {
  std::string text;
  for (const char c : name) text += is_letter(c) || is_digit(c) ? c : '_';
  if (text.empty() || is_digit(text.front())) text.insert(text.begin(), 't');
  return text;
}

}  // namespace

std::optional<std::string> name_error(std::string_view name) {
  if (name.size() > kMostNameBytes) {
    return fmt::format("has {} bytes; a name has at most {}", name.size(), kMostNameBytes);
  }
  if (const auto at = first_unprintable(name)) {
    return fmt::format("holds byte {:#04x} at {}; a name is printable UTF-8", static_cast<unsigned char>(name[*at]),
                       *at);
  }
  return std::nullopt;
}

bool is_identifier(std::string_view name) {
  if (name.empty() || !is_letter(name.front())) return false;
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c)) return false;
  }
  return true;
}

std::vector<std::string> unique_identifiers(std::span<const std::string> names) {
  std::vector<std::string> result(names.size());
  std::set<std::string, std::less<>> used;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_identifier(names[i]) && used.insert(names[i]).second) result[i] = names[i];
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!result[i].empty()) continue;
    const std::string base = to_identifier(names[i]);
    std::string candidate = base;
    for (int n = 2; !used.insert(candidate).second; ++n) candidate = fmt::format("{}_{}", base, n);
    result[i] = candidate;
  }
  return result;
}

std::string quoted(std::string_view text) {
  std::string result(1, '"');
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    if (plain) {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  result += '"';
  return result;
}

std::string written_name(std::string_view name) { return is_identifier(name) ? std::string{name} : quoted(name); }

}  // namespace npu::isa
