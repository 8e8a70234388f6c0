// One line of assembly text as tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isa/violation.hpp"

namespace npu::isa {

/// Why a statement was refused; becomes one diagnostic.
struct StatementError {
  std::uint32_t column;  ///< from 1
  Stage stage;
  std::string message;
};

enum class TokenKind : std::uint8_t { Word, String, Punctuation, End };
struct Token {
  TokenKind kind;
  std::string text;  ///< of a string: its content
  std::uint32_t column;
};

/// Words (letters, digits, `_`, `.`, `#`, and signs that begin a number or an exponent), strings, `,` `=` `:`. Comments
/// begin with `//` or `;`. Words and strings may serve as names (name_error). The last token is End. Throws
/// StatementError.
[[nodiscard]] std::vector<Token> tokenize(std::string_view line);

/// Reads tokens one after another.
class TokenReader {
 public:
  explicit TokenReader(const std::vector<Token>& tokens) : tokens_{&tokens} {}
  [[nodiscard]] const Token& peek() const { return (*tokens_)[next_]; }
  [[nodiscard]] bool at_end() const { return peek().kind == TokenKind::End; }
  [[nodiscard]] bool accept(char punctuation);
  const Token& take();
  const Token& expect_word(std::string_view what);
  const Token& expect_name(std::string_view what);  ///< identifier or string
  void expect(char punctuation);
  void expect_end();

 private:
  const std::vector<Token>* tokens_;
  std::size_t next_ = 0;
};

/// Decimal or 0x-hexadecimal, signed, within [lo, hi]; throws StatementError at the token.
[[nodiscard]] std::int64_t parse_integer(const Token& token, std::string_view text, std::int64_t lo, std::int64_t hi);
/// r0 to r31.
[[nodiscard]] std::uint8_t parse_register(const Token& token, std::string_view text);

}  // namespace npu::isa
