// What every run leaves behind: traces, the run directory, the result on stdout, progress on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/options.hpp"
#include "orchestration/report/summary.hpp"
#include "traces/chrome_trace.hpp"
#include "traces/fanout.hpp"
#include "traces/vcd.hpp"

namespace npu::cli {

/// Seconds since it was made.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

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

/// A line on stderr that says how far a run is: only on a terminal, and only once the run has taken two seconds.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  /// The simulation starts now and has so many tasks, all cards together.
  void expect(std::size_t tasks) {
    tasks_ = tasks;
    run_begin_ = Clock::now();
  }
  /// Empty where stderr is no terminal.
  [[nodiscard]] std::function<void(const model::RunProgress&)> callback();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const model::RunProgress& now);

  std::size_t tasks_ = 0;
  Clock::time_point begin_, run_begin_, shown_;  ///< of the program, of the simulation, of the latest line
  bool on_terminal_ = false, visible_ = false;
};

/// What every system of cards takes from the flags.
[[nodiscard]] model::SystemOptions system_options(const Options& options, std::uint32_t cards, Traces& traces,
                                                  Progress& progress);
void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_text(const std::filesystem::path& path, std::string_view text);
/// Creates the directory; a default name carries the workload and the time.
[[nodiscard]] std::filesystem::path make_directory(const std::optional<std::string>& wanted,
                                                   const std::string& workload);
/// Threads for generators and references.
[[nodiscard]] unsigned processors();
/// Runs the simulation and takes its wall time and peak memory.
[[nodiscard]] orch::SimulatorCost measured(const std::function<void()>& simulation);

/// The report of a run before anything is compared; a workload of the layer adds its dimensions.
[[nodiscard]] orch::RunReport make_report(const Options& options, const model::Machine& machine, model::RunStats stats,
                                          const orch::SimulatorCost& cost);
/// Adds the dimensions of a case to the report, and leaves them in the run directory as layer.json.
void add_layer(orch::RunReport& report, const CaseSource& source, const std::filesystem::path& directory);

/// Writes summary.json and machine.toml, prints the result and the verdict; returns the exit status. With --json stdout
/// holds summary.json alone and the verdict goes to stderr.
[[nodiscard]] int finish_run(const Options& options, const orch::RunReport& report,
                             const std::filesystem::path& directory);
/// The same for --compile-only: a line about what was built.
[[nodiscard]] int finish_compile(const Options& options, const std::string& built);

}  // namespace npu::cli
