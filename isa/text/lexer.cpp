#include "isa/text/lexer.hpp"

#include <fmt/format.h>

#include <charconv>

#include "isa/program.hpp"
#include "isa/text/names.hpp"

namespace npu::isa {
namespace {

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '#';
}
bool is_sign(char c) { return c == '+' || c == '-'; }

class LineScanner {
 public:
  explicit LineScanner(std::string_view line) : line_{line} {}

  std::vector<Token> scan() {
    std::vector<Token> tokens;
    while (skip_blanks()) {
      tokens.push_back(next());
      const Token& token = tokens.back();
      if (const auto error = name_error(token.text)) {
        throw StatementError{token.column, Stage::Parse,
                             fmt::format("{} {}", token.kind == TokenKind::String ? "string" : "word", *error)};
      }
    }
    tokens.push_back({TokenKind::End, "end of line", column()});
    return tokens;
  }

 private:
  [[nodiscard]] std::uint32_t column() const { return static_cast<std::uint32_t>(at_ + 1); }
  [[nodiscard]] char look(std::size_t ahead = 0) const {
    return at_ + ahead < line_.size() ? line_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool done() const { return at_ >= line_.size(); }

  bool skip_blanks() {
    while (look() == ' ' || look() == '\t' || look() == '\r') ++at_;
    return !done() && look() != ';' && !(look() == '/' && look(1) == '/');
  }

  Token next() {
    const std::uint32_t begin = column();
    const char c = look();
    if (is_word(c) || is_sign(c)) return {TokenKind::Word, word(), begin};
    if (c == '"') return {TokenKind::String, string(), begin};
    if (c == ',' || c == '=' || c == ':') {
      ++at_;
      return {TokenKind::Punctuation, std::string(1, c), begin};
    }
    throw StatementError{begin, Stage::Parse, fmt::format("unexpected byte {:#04x}", static_cast<unsigned char>(c))};
  }

  std::string word() {
    const std::size_t begin = at_;
    const bool number = is_digit(look()) || is_sign(look());
    ++at_;
    while (!done()) {
      const char previous = line_[at_ - 1];
      const bool exponent_sign = number && is_sign(look()) && (previous == 'e' || previous == 'E');
      if (!is_word(look()) && !exponent_sign) break;
      ++at_;
    }
    return std::string{line_.substr(begin, at_ - begin)};
  }

  std::string string() {
    const std::uint32_t begin = column();
    std::string text;
    for (++at_; look() != '"'; ++at_) {
      if (done()) throw StatementError{begin, Stage::Parse, "string does not end on its line"};
      text += look() == '\\' ? escape() : look();
    }
    ++at_;
    return text;
  }

  /// Leaves the scanner on the last character of the escape.
  char escape() {
    unsigned value = 0;
    const std::string_view digits = line_.substr(at_ < line_.size() ? at_ : line_.size()).substr(0, 4);
    if (digits.size() == 4 && digits[1] == 'x') {
      const auto [end, error] = std::from_chars(digits.data() + 2, digits.data() + 4, value, 16);
      if (error == std::errc{} && end == digits.data() + 4) {
        at_ += 3;
        return static_cast<char>(static_cast<unsigned char>(value));
      }
    }
    throw StatementError{column(), Stage::Parse, "escapes in a string are \\xNN"};
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view line) { return LineScanner{line}.scan(); }

bool TokenReader::accept(char punctuation) {
  if (peek().kind != TokenKind::Punctuation || peek().text[0] != punctuation) return false;
  ++next_;
  return true;
}

const Token& TokenReader::take() {
  const Token& token = peek();
  if (!at_end()) ++next_;
  return token;
}

const Token& TokenReader::expect_word(std::string_view what) {
  const Token& token = take();
  if (token.kind == TokenKind::Word) return token;
  throw StatementError{token.column, Stage::Parse, fmt::format("expected {}, found `{}`", what, token.text)};
}

const Token& TokenReader::expect_name(std::string_view what) {
  const Token& token = take();
  if (token.kind == TokenKind::String || (token.kind == TokenKind::Word && is_identifier(token.text))) return token;
  throw StatementError{token.column, Stage::Parse, fmt::format("expected {}, found `{}`", what, token.text)};
}

void TokenReader::expect(char punctuation) {
  if (accept(punctuation)) return;
  throw StatementError{peek().column, Stage::Parse, fmt::format("expected `{}`, found `{}`", punctuation, peek().text)};
}

void TokenReader::expect_end() {
  if (at_end()) return;
  throw StatementError{peek().column, Stage::Parse, fmt::format("unexpected `{}`", peek().text)};
}

std::int64_t parse_integer(const Token& token, std::string_view text, std::int64_t lo, std::int64_t hi) {
  std::string_view digits = text;
  const bool negative = !digits.empty() && digits[0] == '-';
  if (!digits.empty() && is_sign(digits[0])) digits.remove_prefix(1);
  const bool hex = digits.starts_with("0x");
  if (hex) digits.remove_prefix(2);
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, hex ? 16 : 10);
  const bool is_number = error != std::errc::invalid_argument && end == digits.data() + digits.size();
  if (!is_number) throw StatementError{token.column, Stage::Parse, fmt::format("expected a number, found `{}`", text)};
  const std::uint64_t limit = negative ? ~static_cast<std::uint64_t>(lo) + 1 : static_cast<std::uint64_t>(hi);
  const bool in_range = error == std::errc{} && magnitude <= limit && (!negative || lo < 0 || magnitude == 0);
  if (!in_range)
    throw StatementError{token.column, Stage::Parse, fmt::format("{} is not within {} to {}", text, lo, hi)};
  const auto value = static_cast<std::int64_t>(negative ? ~magnitude + 1 : magnitude);
  if (value < lo)
    throw StatementError{token.column, Stage::Parse, fmt::format("{} is not within {} to {}", text, lo, hi)};
  return value;
}

std::uint8_t parse_register(const Token& token, std::string_view text) {
  if (text.size() >= 2 && text[0] == 'r' && is_digit(text[1])) {
    const auto number = parse_integer(token, text.substr(1), 0, static_cast<std::int64_t>(kRegisterCount) - 1);
    return static_cast<std::uint8_t>(number);
  }
  throw StatementError{token.column, Stage::Parse,
                       fmt::format("expected a register r0 to r{}, found `{}`", kRegisterCount - 1, text)};
}

}  // namespace npu::isa
