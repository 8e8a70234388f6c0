// What shows a run as it goes on: traces, progress on stderr, time and memory of this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "orchestration/cli/options.hpp"
#include "traces/chrome_trace.hpp"
#include "traces/fanout.hpp"
#include "traces/vcd.hpp"

namespace npu::cli {

/// The traces that the flags ask for; null sink where they ask for none. Files appear under their names once the
/// simulation has begun: those of a run that fails later hold what it came to.
class Traces {
 public:
  /// Throws ConfigError for windows and levels that are none, and files that cannot be created.
  Traces(const Options& options, double core_mhz);

  [[nodiscard]] traces::Sink* sink() { return fanout_.empty() ? nullptr : &fanout_; }
  void check_scope() const;
  /// The simulation begins.
  void begin() { begun_ = true; }
  /// Completes the files; nothing where the simulation has not begun. Warns where --trace-limit-mib has cut one.
  void finish();
  /// Warns where the run ended before the window begins.
  void warn_if_empty(model::Cycles end);

 private:
  traces::FanoutSink fanout_;
  std::unique_ptr<traces::ChromeTraceWriter> chrome_;
  std::unique_ptr<traces::VcdWriter> vcd_;
  traces::Window window_;
  std::uint64_t limit_mib_;
  bool begun_ = false;
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

/// Of this process so far.
[[nodiscard]] double peak_rss_mib();

}  // namespace npu::cli
