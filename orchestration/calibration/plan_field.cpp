#include "orchestration/calibration/plan_field.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"

namespace npu::orch {
namespace {

std::optional<std::uint32_t> whole_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "128x256" as so many extents, each from 1 to `most`.
std::vector<std::uint32_t> extents(std::string_view text, std::size_t count, std::uint32_t most,
                                   std::string_view form) {
  std::vector<std::uint32_t> values;
  std::string_view rest = text;
  for (;;) {
    const std::size_t cross = std::min(rest.find('x'), rest.size());
    const auto value = whole_number(rest.substr(0, cross));
    if (!value || *value == 0 || *value > most) break;
    values.push_back(*value);
    if (cross == rest.size()) {
      if (values.size() == count) return values;
      break;
    }
    rest.remove_prefix(cross + 1);
  }
  throw config_error("'{}' is no {} of whole numbers from 1 to {}", isa::shown(std::string{text}), form, most);
}

std::string shown_default(std::string_view automatic, const std::function<std::string()>& show) {
  return automatic.empty() ? show() : std::string{automatic};
}

}  // namespace

PlanField number_field(std::string_view name, std::uint32_t& field, FieldRange range, std::string_view summary,
                       std::string_view automatic) {
  const auto show = [&field] { return fmt::format("{}", field); };
  const auto take = [&field, range](std::string_view text) {
    const auto value = whole_number(text);
    if (!value || *value < range.least || *value > range.most) {
      throw config_error("'{}' is no whole number from {} to {}", isa::shown(std::string{text}), range.least,
                         range.most);
    }
    field = *value;
  };
  return {name, "N", summary, shown_default(automatic, show), take, show};
}

PlanField extent_field(std::string_view name, kernels::Extent2& field, std::uint32_t most, std::string_view summary,
                       std::string_view automatic) {
  const auto show = [&field] { return fmt::format("{}x{}", field.rows, field.cols); };
  const auto take = [&field, most](std::string_view text) {
    const auto values = extents(text, 2, most, "RxC");
    field = {values[0], values[1]};
  };
  return {name, "RxC", summary, shown_default(automatic, show), take, show};
}

PlanField extent_field(std::string_view name, kernels::Extent3& field, std::uint32_t most, std::string_view summary,
                       std::string_view automatic) {
  const auto show = [&field] { return fmt::format("{}x{}x{}", field.m, field.n, field.k); };
  const auto take = [&field, most](std::string_view text) {
    const auto values = extents(text, 3, most, "MxNxK");
    field = {values[0], values[1], values[2]};
  };
  return {name, "MxNxK", summary, shown_default(automatic, show), take, show};
}

PlanField dtype_field(std::string_view name, isa::DType& field, std::initializer_list<isa::DType> types,
                      std::string_view summary) {
  std::vector<std::pair<std::string_view, isa::DType>> words;
  for (const isa::DType type : types) words.emplace_back(isa::name_of(type), type);
  return choice_field(name, field, std::move(words), summary);
}

PlanField switch_field(std::string_view name, bool& field, std::string_view summary) {
  return {name,
          "",
          summary,
          "",
          [&field](std::string_view) { field = true; },
          [&field] { return field ? std::string{"on"} : std::string{}; }};
}

ConfigError no_such_word(std::string_view text, std::string_view words) {
  return config_error("'{}' is none of {}", isa::shown(std::string{text}), words);
}

void take_flags(std::string_view workload, const std::vector<PlanField>& fields, std::span<const FlagText> flags) {
  std::vector<std::string_view> names;
  for (const PlanField& field : fields) names.push_back(field.name);
  std::set<std::string_view> seen;
  for (const FlagText& flag : flags) {
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const PlanField& f) { return f.name == flag.name; });
    if (field == fields.end()) {
      throw config_error("{} has no flag --{}; nearest is --{}; npusim help run {} shows them", workload,
                         isa::shown(flag.name), isa::nearest_name(flag.name, names), workload);
    }
    if (!seen.insert(field->name).second) {
      throw config_error("{}: --{} is given twice; give it once", workload, flag.name);
    }
    try {
      field->take(flag.value);
    } catch (const ConfigError& error) {
      throw config_error("{}: --{}: {}", workload, flag.name, error.what());
    }
  }
}

}  // namespace npu::orch
