// Damages the inputs of parsers: one source of odd bytes for every fuzz test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace npu::test {

/// Equal seeds give equal damage on every host.
class Mutator {
 public:
  /// `fragments` are words of the format, which random bytes would not find.
  Mutator(std::uint32_t seed, std::span<const std::string_view> fragments) : random_{seed}, fragments_{fragments} {}

  /// Below n; 0 for n = 0.
  [[nodiscard]] std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

  /// The text after one to four edits: a byte, a bit, a fragment, a piece removed, doubled or moved, a huge count, a
  /// cut.
  [[nodiscard]] std::string damaged(std::string text) {
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  void edit(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    const std::string_view piece = std::string_view{text}.substr(at, 1 + below(16));
    switch (below(8)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        return;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 2:
      case 3:
        if (!fragments_.empty()) text.insert(at, fragments_[below(fragments_.size())]);
        return;
      case 4:
        text.erase(at, 1 + below(8));
        return;
      case 5:
        text.insert(below(text.size() + 1), std::string{piece});
        return;
      case 6:
        for (std::size_t i = at; i < at + 4 && i < text.size(); ++i) text[i] = below(2) == 0 ? '\0' : '\xff';
        return;
      default:
        // Seldom, or most inputs would be short.
        if (below(8) == 0) text.resize(at);
        return;
    }
  }

  std::mt19937 random_;
  std::span<const std::string_view> fragments_;
};

/// What every format must survive beside its own words.
inline constexpr std::string_view kOddTexts[] = {std::string_view{"\0", 1},
                                                 "\xff",
                                                 "\xc3\xa9",
                                                 "\x1b[31m",
                                                 "\"",
                                                 "\\",
                                                 "99999999999999999999",
                                                 "-1",
                                                 "1e999",
                                                 "nan",
                                                 "\n",
                                                 "\r\n",
                                                 " ",
                                                 "\xef\xbb\xbf"};

}  // namespace npu::test
