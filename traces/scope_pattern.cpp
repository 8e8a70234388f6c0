#include "traces/scope_pattern.hpp"

#include <algorithm>
#include <utility>

namespace npu::traces {
namespace {

/// Keeps the set of lengths of `text` that the glob read so far can match.
bool glob_matches(std::string_view glob, std::string_view text) {
  std::vector<bool> reached(text.size() + 1);
  reached[0] = true;
  for (const char c : glob) {
    std::vector<bool> next(text.size() + 1);
    bool any_before = false;
    bool dot_before = false;  // from there scopes are skipped
    for (std::size_t at = 0; at <= text.size(); ++at) {
      any_before = any_before || reached[at];
      if (c == '*') {
        next[at] = any_before;
      } else if (at < text.size()) {
        const bool matches = c == '?' || c == text[at];
        dot_before = dot_before || (c == '.' && matches && reached[at]);
        next[at + 1] = matches && (reached[at] || dot_before);
      }
    }
    reached = std::move(next);
  }
  return reached[text.size()];
}

}  // namespace

ScopePattern::ScopePattern(std::string_view text) : text_{text} {
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (const auto glob = text.substr(0, comma); !glob.empty()) globs_.emplace_back(glob);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
}

bool ScopePattern::matches(std::string_view track_name) const {
  if (globs_.empty()) return true;
  for (auto end = track_name.size(); end != std::string_view::npos && end > 0;
       end = track_name.substr(0, end).rfind('.')) {
    const auto scope = track_name.substr(0, end);
    if (std::any_of(globs_.begin(), globs_.end(), [&](const auto& glob) { return glob_matches(glob, scope); })) {
      return true;
    }
  }
  return false;
}

}  // namespace npu::traces
