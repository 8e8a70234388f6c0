#include "kernels/common/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"

namespace npu::kernels {
bool PlanRange::holds(std::uint32_t value) const {
  return value >= least && value <= most && (value % granule == 0 || value == most) &&
         (divides == 0 || divides % value == 0);
}

std::string range_text(const PlanRange& range, std::string_view unit) {
  if (range.least == range.most) return fmt::format("{} {}", range.least, unit);
  std::string text = fmt::format("{} to {} {}", range.least, range.most, unit);
  if (range.granule > 1) text += fmt::format(", multiples of {}", range.granule);
  if (range.divides != 0) text += fmt::format(", divisors of {}", range.divides);
  return text;
}

std::vector<PlanValue> values_of(const PlanFields& fields) {
  std::vector<PlanValue> values;
  for (const PlanField& field : fields) {
    values.push_back({field.name, field.unit, field.doc, *field.value, field.range});
  }
  return values;
}

void choose(std::string_view kernel, const PlanChoice& choice, const std::function<PlanFields()>& fields) {
  if (choice.empty()) return;
  const PlanFields before = fields();
  std::vector<std::string_view> names;
  for (const PlanField& field : before) names.push_back(field.name);
  for (const auto& [name, value] : choice) {
    const auto field = std::find_if(before.begin(), before.end(), [&](const PlanField& f) { return f.name == name; });
    if (field == before.end()) {
      throw config_error("--tile {}.{}: the plan of {} has no such field; nearest is {}; npusim fit shows them", kernel,
                         name, kernel, isa::nearest_name(name, names));
    }
    *field->value = value;
  }
  // The chosen ones first: what is wrong with another field then follows from them.
  PlanFields after = fields();
  std::stable_partition(after.begin(), after.end(), [&](const PlanField& f) { return choice.contains(f.name); });
  for (const PlanField& field : after) {
    if (field.range.holds(*field.value)) continue;
    const std::string range = range_text(field.range, field.unit);
    if (choice.contains(field.name)) {
      throw config_error("--tile {}.{}={}: choose {} ({})", kernel, field.name, *field.value, range, field.doc);
    }
    throw config_error("--tile {}: with what is chosen, {} = {} does not do; choose it too: {}", kernel, field.name,
                       *field.value, range);
  }
}

bool keeps(const PlanChoice& choice, const PlanFields& fields) {
  return std::all_of(fields.begin(), fields.end(), [&](const PlanField& field) {
    const auto chosen = choice.find(field.name);
    return chosen == choice.end() || chosen->second == *field.value;
  });
}

}  // namespace npu::kernels
