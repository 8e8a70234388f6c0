#include "model/config/toml_parser.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <fstream>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"

namespace npu::model {
namespace {

struct ContractBroken : std::exception {};

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
/// What may stand outside of strings and comments beside the bytes of bare keys.
constexpr std::string_view kOtherBytes = " \t\r\n+.:=,[]{}";

/// What may stand right before a string, an array or an inline table. Elsewhere the parser takes them for the rest of a
/// number, and does not expect what strings may hold.
constexpr std::string_view kBeforeValue = " \t\r\n=,[";
constexpr std::string_view kBeforeKey = " \t\r\n,[{.";

bool is_key_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/// Walks over the text once, string by string and comment by comment, and refuses what the parser cannot be given.
class TomlScanner {
 public:
  TomlScanner(std::string_view text, std::string_view file) : text_{text}, file_{file} {}

  void scan() {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        require_gap(in_value_ ? kBeforeValue : kBeforeKey);
        skip_string(c);
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        step(c);
        ++at_;
      }
    }
  }

 private:
  void step(char c) {
    if (!is_key_byte(c) && kOtherBytes.find(c) == std::string_view::npos) {
      refuse(fmt::format("byte {:#04x} outside of strings and comments; put the text in quotes",
                         static_cast<unsigned char>(c)));
    }
    if (c == '.') {
      if (++dots_ >= kMostTomlLevels) refuse(fmt::format("a key of more than {} names", kMostTomlLevels));
    } else if (!is_key_byte(c) && c != ' ' && c != '\t') {
      dots_ = 0;
    }
    track(c);
  }

  /// Whether keys or values come next. The brackets around a table's name open nothing.
  void track(char c) {
    if (c == '=' && in_value_) refuse("a second '='");
    if (c == '[' || c == '{') {
      if (!in_value_ && c == '[') return;
      require_gap(kBeforeValue);
      if (open_.size() == kMostTomlLevels) refuse(fmt::format("more than {} brackets in one another", kMostTomlLevels));
      open_.push_back(c);
      in_value_ = c == '[';
    } else if ((c == ']' || c == '}') && !open_.empty()) {
      open_.pop_back();
      in_value_ = true;
    } else if (c == '=') {
      in_value_ = true;
    } else if (c == ',' || c == '\n') {
      in_value_ = open_.ends_with('[');
      if (c == '\n') ++line_;
    }
  }

  void require_gap(std::string_view allowed) const {
    if (at_ > 0 && allowed.find(text_[at_ - 1]) == std::string_view::npos) {
      refuse(fmt::format("{} right behind other text", text_[at_]));
    }
  }

  /// Leaves the scanner behind the string, or at the end of the line (of the text) that it does not end on.
  void skip_string(char quote) {
    const std::string delimiter(3, quote);
    const bool long_string = text_.substr(at_).starts_with(delimiter);
    const std::string_view end = long_string ? std::string_view{delimiter} : std::string_view{delimiter}.substr(0, 1);
    for (at_ += end.size(); at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') {
        if (!long_string) return;
        ++line_;
      }
      if (text_.substr(at_).starts_with(end)) {
        at_ += end.size();
        // A long string may end in up to two quotes of its own.
        for (int own = 0; long_string && own < 2 && at_ < text_.size() && text_[at_] == quote; ++own) ++at_;
        return;
      }
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
  }

  [[noreturn]] void refuse(const std::string& why) const { throw config_error("{}:{}: {}", file_, line_, why); }

  std::string_view text_, file_;
  std::size_t at_ = 0, line_ = 1, dots_ = 0;
  std::string open_;       ///< brackets of arrays and inline tables
  bool in_value_ = false;  ///< not in a key
};

}  // namespace

void toml_contract_broken() { throw ContractBroken{}; }

std::string read_toml_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw config_error("{}: is not a regular file", path);
  }
  std::ifstream in{path, std::ios::binary};
  if (!in) throw config_error("{}: cannot read this file", path);
  std::string text;
  std::array<char, 4096> piece;
  do {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  } while (in && text.size() <= kMostTomlBytes);
  if (in.bad()) throw config_error("{}: cannot read this file", path);
  if (text.size() > kMostTomlBytes) throw config_error("{}: has more than {} bytes", path, kMostTomlBytes);
  return text;
}

toml::table parse_toml(std::string_view text, const std::string& file) {
  if (text.size() > kMostTomlBytes) throw config_error("{}: has more than {} bytes", file, kMostTomlBytes);
  TomlScanner{text, file}.scan();
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    throw config_error("{}:{}: not valid TOML: {}", file, e.source().begin.line, isa::printable(e.description()));
  } catch (const ContractBroken&) {
    throw config_error("{}: not valid TOML: a key, table or value is not one; compare with a file that is", file);
  }
}

}  // namespace npu::model
