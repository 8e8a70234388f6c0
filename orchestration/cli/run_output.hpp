// What every run leaves behind: traces, the run directory, the result on stdout.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "orchestration/cli/options.hpp"
#include "orchestration/report/summary.hpp"
#include "traces/chrome_trace.hpp"
#include "traces/fanout.hpp"
#include "traces/vcd.hpp"

namespace npu::cli {

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

void write_text(const std::filesystem::path& path, std::string_view text);
/// Creates the directory; a default name carries the workload and the time.
[[nodiscard]] std::filesystem::path make_directory(const std::optional<std::string>& wanted,
                                                   const std::string& workload);
/// Runs the simulation and takes its wall time and peak memory.
[[nodiscard]] orch::SimulatorCost measured(const std::function<void()>& simulation);

/// Writes summary.json and machine.toml, prints the result and the verdict; returns the exit status.
[[nodiscard]] int finish_run(const Options& options, const orch::RunReport& report,
                             const std::filesystem::path& directory);
/// The same for --compile-only: a line about what was built.
[[nodiscard]] int finish_compile(const std::string& built);

}  // namespace npu::cli
