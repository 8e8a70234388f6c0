#include "orchestration/cli/run_output.hpp"

#include <sys/resource.h>

#include <ctime>
#include <fstream>
#include <utility>

#include "isa/errors.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.flush();
  if (!file) throw config_error("{}: cannot be written", path.string());
}

/// The clause behind PASS or FAIL.
std::string reason(const orch::RunReport& report) {
  const orch::Verdict verdict = orch::verdict_of(report.outputs);
  std::string text;
  switch (verdict) {
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

}  // namespace

model::SystemOptions system_options(const Options& o, std::uint32_t cards, traces::Sink* sink) {
  if (!o.start_skew_us.empty() && o.start_skew_us.size() != cards) {
    throw config_error("--start-skew-us gives {} delays for {} cards", o.start_skew_us.size(), cards);
  }
  return {.cards = cards,
          .mode = o.mode,
          .ideal_scheduler = o.ideal_scheduler,
          .start_skew_us = o.start_skew_us,
          .sink = sink};
}

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

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

orch::RunReport report_of(const Options& o, const model::Machine& machine, const CaseSource& source,
                          model::RunStats stats, const orch::SimulatorCost& cost) {
  return {.workload = o.workload,
          .platform = machine.arch.name,
          .preset = source.preset,
          .seed = o.seed.value_or(0),
          .config = source.config,
          .kind = orch::attention_kind(source.config),
          .machine = &machine,
          .timed = o.mode == model::Mode::Timed,
          .outputs = {},
          .layers = {},
          .stats = std::move(stats),
          .cost = cost};
}

int finish_run(const Options& o, const fs::path& directory, const orch::RunReport& report) {
  const std::string json = orch::summary_json(report);
  write_text(directory / "summary.json", json);
  write_text(directory / "machine.toml", model::effective_toml(*report.machine));
  orch::Metadata layer_config;
  orch::add_config(layer_config, report.config);
  write_text(directory / "layer.json", layer_config.at("config") + "\n");
  fmt::print("{}", o.json ? json : orch::summary_text(report));
  const bool pass = orch::verdict_of(report.outputs) != orch::Verdict::Fail;
  fmt::print("[RUN] {} {}\n", pass ? "PASS" : "FAIL", reason(report));
  return pass ? 0 : 1;
}

}  // namespace npu::cli
