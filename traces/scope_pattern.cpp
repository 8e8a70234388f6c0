#include "traces/scope_pattern.hpp"

#include <algorithm>

namespace npu::traces {
namespace {

/// Greedy match with one point of return: the latest star takes one character more after each failure.
bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_end = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_end = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
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
