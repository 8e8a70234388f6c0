// The numbers of a kernel's plan: one table per plan, from which values are chosen, checked and shown.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace npu::kernels {

struct PlanRange {
  std::uint32_t least = 1, most = 1;
  std::uint32_t granule = 1;  ///< a value is a multiple of it, or `most`
  std::uint32_t divides = 0;  ///< a value divides it; 0: anything goes
  [[nodiscard]] bool holds(std::uint32_t value) const;
};
/// "16 to 256 columns, multiples of 16, divisors of 4096".
[[nodiscard]] std::string range_text(const PlanRange& range, std::string_view unit);

/// A number of a plan, bound to the plan that its table was made for. What is legal may follow from other numbers.
struct PlanField {
  std::string_view name;
  std::string_view unit;
  std::string_view doc;
  std::uint32_t* value;
  PlanRange range;
};
using PlanFields = std::vector<PlanField>;

/// A number as it came out.
struct PlanValue {
  std::string_view name, unit, doc;
  std::uint32_t value = 0;
  PlanRange range;
};
[[nodiscard]] std::vector<PlanValue> values_of(const PlanFields& fields);

/// What somebody has chosen for a kernel, by field.
using PlanChoice = std::map<std::string, std::uint32_t, std::less<>>;

/// Sets the chosen fields. ConfigError, naming the kernel, for a field that the plan does not have, with the nearest
/// that it does, and for plans that are illegal then, with the range.
void choose(std::string_view kernel, const PlanChoice& choice, const std::function<PlanFields()>& fields);
/// Whether the chosen fields are as they were chosen.
[[nodiscard]] bool keeps(const PlanChoice& choice, const PlanFields& fields);

}  // namespace npu::kernels
