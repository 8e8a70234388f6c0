// Which tracks a user asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace npu::traces {

/// Comma-separated globs over dotted track names: `*` stands for any text (dots included), `?` for one character, and a
/// dot for itself or for scopes between two dots: `card0.aic*` are the cube cores of all clusters of card 0. A glob
/// that matches a scope takes everything below it: `card0.cluster3.aic` is the core and its pipes. Empty text takes
/// all.
class ScopePattern {
 public:
  explicit ScopePattern(std::string_view text);
  [[nodiscard]] bool matches(std::string_view track_name) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::string> globs_;
};

}  // namespace npu::traces
