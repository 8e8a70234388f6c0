// What the anchors say about the model: errors, totals, and whether changes go the right way.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/validate/anchors.hpp"

namespace npu::orch {

/// An anchor with what the simulation gave.
struct AnchorResult {
  Anchor anchor;
  std::optional<double> simulated;  ///< none where the row did not run
  std::string reason;               ///< why not

  /// simulated / measured - 1; none where the row did not run.
  [[nodiscard]] std::optional<double> error() const;
  [[nodiscard]] bool is_beyond() const;
  /// "ok", "beyond tolerance", or "not run: " and the reason.
  [[nodiscard]] std::string status() const;
};

struct Total {
  std::size_t count = 0;  ///< rows that ran
  std::size_t not_run = 0;
  std::size_t beyond = 0;                      ///< of the rows that ran: outside of their tolerance
  double median = 0.0, p90 = 0.0, mean = 0.0;  ///< of the absolute error; the mean of the signed one
  std::optional<std::size_t> worst;            ///< position of the row with the largest absolute error
};
/// Of the rows at these positions.
[[nodiscard]] Total total_of(const std::vector<AnchorResult>& rows, const std::vector<std::size_t>& positions);
/// By `use` class; by group of the id; of all rows.
[[nodiscard]] std::map<std::string, Total> totals_by_use(const std::vector<AnchorResult>& rows);
[[nodiscard]] std::map<std::string, Total> totals_by_group(const std::vector<AnchorResult>& rows);
[[nodiscard]] Total total_of(const std::vector<AnchorResult>& rows);

/// Two consecutive variants of one experiment: how much the second takes of the first.
struct Pair {
  std::size_t first = 0, second = 0;  ///< positions of the rows
  double measured = 0.0;              ///< second / first
  std::optional<double> simulated;    ///< none unless both rows ran
  /// Both ratios lie on one side of 1.
  [[nodiscard]] bool has_right_sign() const;
  /// The logarithms of the ratios differ by a factor of at most two, and by their sign not at all.
  [[nodiscard]] bool has_right_size() const;
};
/// Rows of one experiment and metric, in the order of their letters.
[[nodiscard]] std::vector<Pair> pairs_of(const std::vector<AnchorResult>& rows);

/// The p-quantile, linear between the values around it; values are not empty.
[[nodiscard]] double quantile(std::vector<double> values, double p);

/// A table for a terminal, and JSON {"rows", "totals", "groups", "pairs"} (cli.md section 6).
[[nodiscard]] std::string validation_text(const std::vector<AnchorResult>& rows);
[[nodiscard]] std::string validation_json(const std::vector<AnchorResult>& rows);

}  // namespace npu::orch
