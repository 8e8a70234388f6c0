// Flags of `run` and `fit` that belong to families of experiments, as data: the command line declares and checks them,
// help and completion show them, the families read their values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npu::orch {

enum class FlagKind : std::uint8_t {
  Switch,
  Number,    ///< whole, 32 bits
  Positive,  ///< a number from 1
  Choice,    ///< one of the words of `value`
  Text,
  List,  ///< text, as often as one likes
};

struct FlagSpec {
  std::string_view word;  ///< "--preset"
  FlagKind kind = FlagKind::Switch;
  std::string_view value = {};  ///< what it takes: "N", "a|b" for a choice, "FILE", "NAME|FILE"; empty for a switch
  std::string_view group = {};  ///< its heading in the help
  std::string_view summary = {};
  std::string_view fallback = {};  ///< for the help
  bool of_fit = false;             ///< `fit` takes it too: it decides which kernels there are
};

/// What was given, by word. The command line has checked every text against the kind of its flag.
class FlagValues {
 public:
  void add(std::string_view word, std::string text) { values_[std::string{word}].push_back(std::move(text)); }
  [[nodiscard]] bool has(std::string_view word) const { return values_.contains(word); }
  /// None where the flag is not given.
  [[nodiscard]] std::optional<std::string> text(std::string_view word) const;
  [[nodiscard]] std::optional<std::uint32_t> number(std::string_view word) const;
  /// Of a list, in the order given.
  [[nodiscard]] std::vector<std::string> all(std::string_view word) const;
  [[nodiscard]] const std::map<std::string, std::vector<std::string>, std::less<>>& given() const { return values_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace npu::orch
