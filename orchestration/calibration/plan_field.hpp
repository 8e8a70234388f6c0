// The fields of a calibration kernel's plan as flags: one table serves parsing, help and messages.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/errors.hpp"
#include "isa/types.hpp"
#include "kernels/calibration/plan.hpp"

namespace npu::orch {

/// One field, bound to the plan that it was made for.
struct PlanField {
  std::string_view name;     ///< "row-stride" for --row-stride
  std::string form;          ///< what it takes: "N", "RxC", "keep|bypass"; empty: a switch
  std::string_view summary;  ///< with the unit
  std::string fallback;      ///< the value without the flag, as help shows it
  /// Sets the field; ConfigError without the flag's name where the text is no such value. A switch takes no text.
  std::function<void(std::string_view)> take;
  std::function<std::string()> show;  ///< the value as a flag would give it; "" for a switch that is off
};

struct FieldRange {
  std::uint32_t least = 1, most = 1U << 20U;
};

/// A whole number; 0 in the plan stands for `automatic`, which help shows.
[[nodiscard]] PlanField number_field(std::string_view name, std::uint32_t& field, FieldRange range,
                                     std::string_view summary, std::string_view automatic = {});
/// RxC, rows and columns from 1 to `most`.
[[nodiscard]] PlanField extent_field(std::string_view name, kernels::Extent2& field, std::uint32_t most,
                                     std::string_view summary, std::string_view automatic = {});
/// MxNxK.
[[nodiscard]] PlanField extent_field(std::string_view name, kernels::Extent3& field, std::uint32_t most,
                                     std::string_view summary, std::string_view automatic = {});
[[nodiscard]] PlanField dtype_field(std::string_view name, isa::DType& field, std::initializer_list<isa::DType> types,
                                    std::string_view summary);
[[nodiscard]] PlanField switch_field(std::string_view name, bool& field, std::string_view summary);

/// "text is none of a|b|c".
[[nodiscard]] ConfigError no_such_word(std::string_view text, std::string_view words);

/// One of several words, each of which is a value of the enumeration.
template <class Enum>
[[nodiscard]] PlanField choice_field(std::string_view name, Enum& field,
                                     std::vector<std::pair<std::string_view, Enum>> words, std::string_view summary) {
  std::string form;
  for (const auto& [word, value] : words) form += (form.empty() ? "" : "|") + std::string{word};
  const auto show = [&field, words] {
    for (const auto& [word, value] : words) {
      if (value == field) return std::string{word};
    }
    return std::string{};
  };
  const auto take = [&field, words, form](std::string_view text) {
    for (const auto& [word, value] : words) {
      if (word == text) {
        field = value;
        return;
      }
    }
    throw no_such_word(text, form);
  };
  return {name, form, summary, show(), take, show};
}

/// A flag as it was given: its name without dashes, and its value.
struct FlagText {
  std::string name, value;
};
/// Sets the fields; ConfigError that names the workload and the flag for values that are none, flags given twice, and
/// flags that it does not have, with the nearest that it does.
void take_flags(std::string_view workload, const std::vector<PlanField>& fields, std::span<const FlagText> flags);

}  // namespace npu::orch
