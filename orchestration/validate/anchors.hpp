// Anchors: published times of kernels on silicon that a simulation is held against (cli.md section 6).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npu::orch {

/// One row of an anchor file.
struct Anchor {
  std::size_t line = 0;  ///< of the file
  std::string id, use, platform, workload, args, metric, unit, source, note;
  double measured = 0.0;
  std::optional<double> tolerance;  ///< largest |simulated / measured - 1| that counts as met
  std::string error;                ///< why it is no anchor; fields that could not be read are empty then
};

/// ConfigError naming the file where it has no header with the columns that are needed, or no rows. Columns may come in
/// any order; unknown ones are left alone.
[[nodiscard]] std::vector<Anchor> parse_anchors(std::string_view text, const std::string& file);

/// The anchors that ship with npusim (bench/anchors.csv).
[[nodiscard]] std::string_view shipped_anchors();

/// "E" of "E17:a": the experiments of one kind.
[[nodiscard]] std::string group_of(std::string_view id);
/// "E17" of "E17:a", where the part behind the colon is one small letter: variants of one experiment.
[[nodiscard]] std::optional<std::string_view> experiment_of_variant(std::string_view id);

}  // namespace npu::orch
