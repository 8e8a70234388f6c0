// What every run leaves behind, whichever way it ends: traces, the run directory, the result on stdout.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "model/checks/check_set.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/failure.hpp"
#include "orchestration/cli/options.hpp"
#include "orchestration/cli/run_directory.hpp"
#include "orchestration/cli/run_output.hpp"
#include "orchestration/report/summary.hpp"

namespace npu::cli {

class RunRecord {
 public:
  /// Refuses outputs that are inputs or other outputs, and traces that cannot be written. Nothing of an earlier run is
  /// touched yet.
  RunRecord(const Options& options, const model::Machine& machine);

  [[nodiscard]] orch::RunReport& report() { return report_; }
  [[nodiscard]] Traces& traces() { return traces_; }
  /// What every system of cards takes from the flags.
  [[nodiscard]] model::SystemOptions system_options(std::uint32_t cards);

  /// Runs the steps of the command; where they fail, leaves the traces and a summary that says why, and throws on. Only
  /// what is wrong with flags and inputs, found before accept(), leaves everything as it was.
  int watch(const std::function<int()>& steps);

  /// Every flag and every input is accepted: takes the run directory over and leaves the resolved configuration there.
  void accept();
  /// Simulates `tasks` tasks, all cards together; `stats` is asked however the simulation ends.
  void simulate(std::size_t tasks, const std::function<void()>& run, const std::function<model::RunStats()>& stats);
  /// Writes summary.json, prints result and verdict; returns the exit status.
  [[nodiscard]] int finish();

 private:
  void leave_summary();
  void print_findings() const;
  void fail(const std::exception& error) noexcept;

  const Options& options_;
  orch::RunReport report_;
  Traces traces_;
  Progress progress_;
  model::CheckSet checks_;
  std::optional<RunDirectory> directory_;
};

/// For --compile-only: a line about what was built, and the verdict.
[[nodiscard]] int finish_compile(const Options& options, const std::string& built);

/// "[RUN] PASS reason" as the last line; with --json, where stdout is for summary.json alone, on stderr.
void print_verdict(bool json, Colour colour, std::string_view verdict, std::string_view reason);

}  // namespace npu::cli
