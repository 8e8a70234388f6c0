// What every run has besides its program: options of the system, traces, the run directory and the verdict.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/options.hpp"
#include "orchestration/report/summary.hpp"
#include "traces/chrome_trace.hpp"
#include "traces/fanout.hpp"
#include "traces/vcd.hpp"

namespace npu::cli {

/// ConfigError where --start-skew-us does not name every card.
[[nodiscard]] model::SystemOptions system_options(const Options& options, std::uint32_t cards, traces::Sink* sink);

/// The traces that the flags ask for; null sink where they ask for none.
class Traces {
 public:
  Traces(const Options& options, double core_mhz);
  [[nodiscard]] traces::Sink* sink() { return fanout_.empty() ? nullptr : &fanout_; }
  void check_scope() const;
  void finish();

 private:
  traces::FanoutSink fanout_;
  std::unique_ptr<traces::ChromeTraceWriter> chrome_;
  std::unique_ptr<traces::VcdWriter> vcd_;
};

/// Creates the directory; a default name carries the time, as the contract says.
[[nodiscard]] std::filesystem::path make_directory(const std::optional<std::string>& wanted,
                                                   const std::string& workload);

[[nodiscard]] double peak_rss_mib();

/// Runs the program.
template <class Program>
[[nodiscard]] orch::SimulatorCost measured_run(Program& program) {
  const auto begin = std::chrono::steady_clock::now();
  program.run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return {wall.count(), peak_rss_mib()};
}

/// The verdict of --compile-only.
template <class Program>
[[nodiscard]] int report_compiled(const Program& program, std::uint32_t cards) {
  fmt::print("{} kernels, {} tasks on {} cards verified and allocated\n", program.kernels().all().size(),
             program.task_count(), cards);
  fmt::print("[RUN] PASS compiled only\n");
  return 0;
}

/// Of a finished run; without compared outputs.
[[nodiscard]] orch::RunReport report_of(const Options& options, const model::Machine& machine, const CaseSource& source,
                                        model::RunStats stats, const orch::SimulatorCost& cost);

/// Writes summary, machine and dimensions into the directory, prints the report and the verdict. The exit status.
[[nodiscard]] int finish_run(const Options& options, const std::filesystem::path& directory,
                             const orch::RunReport& report);

}  // namespace npu::cli
