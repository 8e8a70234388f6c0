#include "orchestration/cli/run_output.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include "isa/errors.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/report/progress.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kQuietSeconds = 2.0;  ///< a shorter run says nothing
constexpr double kRefreshSeconds = 0.5;

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// The clause behind PASS or FAIL.
std::string reason(const orch::RunReport& report) {
  std::string text;
  switch (orch::verdict_of(report.outputs)) {
    case orch::Verdict::Skipped:
      text = "nothing compared";
      break;
    case orch::Verdict::Pass:
      text = fmt::format("{} outputs match", report.outputs.size());
      break;
    case orch::Verdict::Fail:
      for (const orch::Comparison& c : report.outputs) {
        if (c.pass) continue;
        text = fmt::format("{}: {} of {} elements violate {}", c.name, c.violations, c.checked, c.rule);
        break;
      }
      break;
  }
  if (report.timed) text += fmt::format(", {:.3f} us", orch::effective_us(report));
  return text;
}

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

Traces::Traces(const Options& o, double core_mhz) {
  const traces::Window window = o.trace_window.empty() ? traces::Window{} : traces::parse_window(o.trace_window);
  if (o.trace) {
    chrome_ = std::make_unique<traces::ChromeTraceWriter>(
        *o.trace, traces::ChromeTraceOptions{.core_mhz = core_mhz, .window = window});
    fanout_.add(*chrome_);
  }
  if (o.vcd) {
    const traces::Level level = o.vcd_level.empty() ? traces::Level::Pipe : traces::parse_level(o.vcd_level);
    vcd_ = std::make_unique<traces::VcdWriter>(
        *o.vcd, traces::VcdOptions{.core_mhz = core_mhz, .level = level, .window = window, .scope = o.vcd_scope});
    fanout_.add(*vcd_);
  }
}

void Traces::check_scope() const {
  if (vcd_) vcd_->check_scope();
}

void Traces::finish() {
  if (chrome_) chrome_->finish();
  if (vcd_) vcd_->finish();
}

Progress::Progress() : begin_{Clock::now()}, on_terminal_{isatty(STDERR_FILENO) == 1} {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
}

std::function<void(const model::RunProgress&)> Progress::callback() {
  if (!on_terminal_) return {};
  return [this](const model::RunProgress& now) { show(now); };
}

void Progress::show(const model::RunProgress& now) {
  const Clock::time_point time = Clock::now();
  if (seconds(time - begin_) < kQuietSeconds || seconds(time - shown_) < kRefreshSeconds) return;
  shown_ = time;
  visible_ = true;
  fmt::print(stderr, "\r\x1b[K{}", orch::progress_text(now, tasks_, seconds(time - run_begin_)));
  std::fflush(stderr);
}

void write_bytes(const fs::path& path, std::span<const std::byte> bytes) {
  write_text(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.flush();
  if (!file) throw config_error("{}: cannot be written", path.string());
}

fs::path make_directory(const std::optional<std::string>& wanted, const std::string& workload) {
  fs::path path;
  if (wanted) {
    path = *wanted;
  } else {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    path = fs::path{"build_output"} / fmt::format("{}_{:04}{:02}{:02}_{:02}{:02}{:02}", workload, utc.tm_year + 1900,
                                                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw config_error("{}: cannot be created: {}", path.string(), error.message());
  return path;
}

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

orch::SimulatorCost measured(const std::function<void()>& simulation) {
  const auto begin = std::chrono::steady_clock::now();
  simulation();
  orch::SimulatorCost cost;
  cost.wall_s = seconds(std::chrono::steady_clock::now() - begin);
  cost.peak_rss_mib = peak_rss_mib();
  return cost;
}

model::SystemOptions system_options(const Options& o, std::uint32_t cards, Traces& traces, Progress& progress) {
  return {.cards = cards,
          .mode = o.mode,
          .ideal_scheduler = o.ideal_scheduler,
          .start_skew_us = o.start_skew_us,
          .sink = traces.sink(),
          .on_progress = progress.callback(),
          .max_us = o.max_us};
}

orch::RunReport make_report(const Options& o, const model::Machine& machine, model::RunStats stats,
                            const orch::SimulatorCost& cost) {
  return {.workload = o.workload,
          .platform = machine.arch.name,
          .preset = {},
          .seed = o.seed.value_or(0),
          .config = std::nullopt,
          .kind = {},
          .machine = &machine,
          .timed = o.mode != model::Mode::Functional,
          .outputs = {},
          .layers = {},
          .stats = std::move(stats),
          .cost = cost,
          .status = "complete",
          .error = {}};
}

void add_layer(orch::RunReport& report, const CaseSource& source, const fs::path& directory) {
  report.preset = source.preset;
  report.config = source.config;
  report.kind = orch::attention_kind(source.config);
  orch::Metadata metadata;
  orch::add_config(metadata, source.config);
  write_text(directory / "layer.json", metadata.at("config") + "\n");
}

int finish_run(const Options& o, const orch::RunReport& report, const fs::path& directory) {
  const std::string json = orch::summary_json(report);
  write_text(directory / "summary.json", json);
  write_text(directory / "machine.toml", model::effective_toml(*report.machine));
  fmt::print("{}", o.json ? json : orch::summary_text(report));
  const bool pass = orch::verdict_of(report.outputs) != orch::Verdict::Fail;
  fmt::print(o.json ? stderr : stdout, "[RUN] {} {}\n", pass ? "PASS" : "FAIL", reason(report));
  return pass ? 0 : 1;
}

int finish_compile(const Options& o, const std::string& built) {
  FILE* const out = o.json ? stderr : stdout;  // there is no summary without a run
  fmt::print(out, "{}\n[RUN] PASS compiled only\n", built);
  return 0;
}

}  // namespace npu::cli
