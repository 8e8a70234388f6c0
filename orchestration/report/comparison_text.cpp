#include "orchestration/report/comparison_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace npu::orch {
namespace {

/// "card 0 [99, 144]", or "[99, 144]" of a tensor that no card owns.
std::string index_text(const Comparison& c, const Shape& index) {
  if (!c.over_cards || index.empty()) return to_string(index);
  return fmt::format("card {} {}", index.front(), to_string(Shape{index.begin() + 1, index.end()}));
}

std::string_view result_of(const Comparison& c) { return !c.pass ? "FAIL" : c.checked == 0 ? "none" : "pass"; }

/// The lines under a failing output.
std::string damage_text(const Comparison& c) {
  const Damage& d = c.damage;
  std::string text;
  text += fmt::format("    worst at {}: expected {}, got {}\n", index_text(c, c.worst_index), c.expected, c.got);
  text += fmt::format("    {} of {} rows are bad, first at {}, last at {}\n", d.bad_rows, d.rows,
                      index_text(c, d.first), index_text(c, d.last));
  if (d.zeros > 0) {
    text += d.zeros == c.violations
                ? fmt::format("    all {} violations are 0 where something else is expected\n", d.zeros)
                : fmt::format("    {} violations are 0 where something else is expected\n", d.zeros);
  }
  if (c.non_finite > 0) {
    text += fmt::format("    {} elements are not finite (NaN or infinity): no rule allows these\n", c.non_finite);
  }
  if (d.off_by_one > 0) {
    text += fmt::format("    {} integers differ by exactly 1, as flips of the rounding do; {} violations\n",
                        d.off_by_one, c.violations);
  }
  if (!c.cause.empty()) text += fmt::format("    {}\n", c.cause);
  return text;
}

}  // namespace

std::string comparison_table(const std::vector<Comparison>& outputs) {
  if (outputs.empty()) return {};
  std::string text = fmt::format("{:28} {:6} {:>10} {:>10} {:>10}  {}\n", "output", "result", "checked", "violations",
                                 "allowed", "rule");
  for (const Comparison& c : outputs) {
    text += fmt::format("{:28} {:6} {:>10} {:>10} {:>10}  {}\n", c.name, result_of(c), c.checked, c.violations,
                        c.allowed, c.rule);
    if (!c.pass) text += damage_text(c);
  }
  if (compared_outputs(outputs) < outputs.size()) text += "none: no element of the output is to be compared\n";
  return text;
}

std::string failure_clause(const Comparison& c) {
  std::string text;
  if (c.non_finite > 0) {
    text = fmt::format("{}: {} of {} elements are not finite (NaN or infinity), which no rule allows", c.name,
                       c.non_finite, c.checked);
  } else if (c.violations > c.allowed) {
    text = fmt::format("{}: {} of {} elements violate {}", c.name, c.violations, c.checked, c.rule);
  } else {
    text = fmt::format("{}: as many violations as are allowed, but the worst is beyond {}", c.name, c.rule);
  }
  return c.cause.empty() ? text : fmt::format("{}: {}", text, c.cause);
}

std::size_t compared_outputs(const std::vector<Comparison>& outputs) {
  return static_cast<std::size_t>(
      std::count_if(outputs.begin(), outputs.end(), [](const Comparison& c) { return c.checked > 0; }));
}

}  // namespace npu::orch
