#include "orchestration/validate/anchors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/validate/csv.hpp"

namespace npu::orch {
namespace {

std::optional<double> finite_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string{} : std::string{text.substr(first, last - first + 1)};
}

struct Column {
  std::string_view name;
  bool is_needed;
  std::string Anchor::*text;  ///< null: a number
};
constexpr std::array kColumns{
    Column{"id", true, &Anchor::id},
    Column{"use", true, &Anchor::use},
    Column{"platform", true, &Anchor::platform},
    Column{"workload", true, &Anchor::workload},
    Column{"args", true, &Anchor::args},
    Column{"metric", true, &Anchor::metric},
    Column{"measured", true, nullptr},
    Column{"unit", false, &Anchor::unit},
    Column{"tolerance", false, nullptr},
    Column{"source", false, &Anchor::source},
    Column{"note", false, &Anchor::note},
};

/// Which known column each column of the file is; null for others.
std::vector<const Column*> columns_of(const CsvRow& header, const std::string& file) {
  std::vector<const Column*> columns;
  for (const std::string& field : header.fields) {
    const std::string name = trimmed(field);
    const auto found = std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& c) { return c.name == name; });
    const Column* const column = found == kColumns.end() ? nullptr : &*found;
    if (column != nullptr && std::find(columns.begin(), columns.end(), column) != columns.end()) {
      throw config_error("{}: line {}: column '{}' is there twice; keep one", file, header.line, name);
    }
    columns.push_back(column);
  }
  for (const Column& column : kColumns) {
    if (!column.is_needed || std::find(columns.begin(), columns.end(), &column) != columns.end()) continue;
    throw config_error(
        "{}: line {}: the header has no column '{}'; an anchor file begins with "
        "id,use,platform,workload,args,metric,measured,unit,tolerance,source,note",
        file, header.line, column.name);
  }
  return columns;
}

Anchor anchor_of(const CsvRow& row, const std::vector<const Column*>& columns) {
  Anchor anchor;
  anchor.line = row.line;
  anchor.error = row.error;
  std::string measured, tolerance;
  for (std::size_t i = 0; i < std::min(columns.size(), row.fields.size()); ++i) {
    if (columns[i] == nullptr) continue;
    const std::string text = trimmed(row.fields[i]);
    if (columns[i]->text != nullptr) {
      anchor.*columns[i]->text = text;
    } else {
      (columns[i]->name == "measured" ? measured : tolerance) = text;
    }
  }
  const auto fault = [&](std::string text) {
    if (anchor.error.empty()) anchor.error = std::move(text);
  };
  if (row.fields.size() != columns.size()) {
    fault(fmt::format("{} fields under {} columns", row.fields.size(), columns.size()));
  }
  for (const auto* text : {&anchor.id, &anchor.use, &anchor.platform, &anchor.workload, &anchor.metric}) {
    if (text->empty()) fault("id, use, platform, workload and metric may not be empty");
  }
  const auto number = finite_number(measured);
  if (!number || *number <= 0) fault(fmt::format("measured '{}' is no positive number", isa::shown(measured)));
  anchor.measured = number.value_or(0.0);
  if (!tolerance.empty()) {
    anchor.tolerance = finite_number(tolerance);
    if (!anchor.tolerance || *anchor.tolerance < 0) {
      fault(fmt::format("tolerance '{}' is no share such as 0.1", isa::shown(tolerance)));
    }
  }
  return anchor;
}

}  // namespace

std::vector<Anchor> parse_anchors(std::string_view text, const std::string& file) {
  const std::vector<CsvRow> rows = parse_csv(text);
  if (rows.empty()) throw config_error("{}: no header; an anchor file begins with id,use,platform,...", file);
  const std::vector<const Column*> columns = columns_of(rows.front(), file);
  std::vector<Anchor> anchors;
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) anchors.push_back(anchor_of(*row, columns));
  if (anchors.empty()) throw config_error("{}: no anchors below the header", file);
  return anchors;
}

std::string group_of(std::string_view id) {
  return std::string{id.substr(0, std::min(id.find_first_of("0123456789:"), id.size()))};
}

std::optional<std::string_view> experiment_of_variant(std::string_view id) {
  const std::size_t colon = id.rfind(':');
  if (colon == std::string_view::npos || colon + 2 != id.size() || id.back() < 'a' || id.back() > 'z') {
    return std::nullopt;
  }
  return id.substr(0, colon);
}

}  // namespace npu::orch
