// Tables as comma-separated values (RFC 4180): fields may be quoted, and hold commas, line breaks and doubled quotes
// then.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace npu::orch {

struct CsvRow {
  std::size_t line = 0;             ///< on which it begins; the first is 1
  std::vector<std::string> fields;  ///< without their quotes
  std::string error;                ///< why it is no row; the fields are those in front of the fault then
};

/// All rows but empty lines. Line ends are \n, \r\n or \r; a byte order mark is skipped. A fault ends its row at the
/// end of its line, so that the rows behind it can be read.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text);

}  // namespace npu::orch
