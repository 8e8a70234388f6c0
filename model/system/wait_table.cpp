#include "model/system/wait_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace npu::model {

std::string format_wait_table(const std::vector<WaitRow>& rows) {
  std::size_t width = 4;
  for (const WaitRow& row : rows) width = std::max(width, row.unit.size());
  std::string text = fmt::format("  {:<{}}  {:>12}  {}\n", "unit", width, "since cycle", "waits for");
  for (const WaitRow& row : rows) {
    const std::string since = row.has_since ? fmt::to_string(row.since) : std::string{"-"};
    text += fmt::format("  {:<{}}  {:>12}  {}\n", row.unit, width, since, row.what);
  }
  return text;
}

}  // namespace npu::model
