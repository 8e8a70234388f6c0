#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "isa/errors.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/layer_program.hpp"
#include "orchestration/host/reference_case.hpp"
#include "orchestration/report/summary.hpp"
#include "traces/chrome_trace.hpp"
#include "traces/fanout.hpp"
#include "traces/vcd.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;
using orch::LayerCase;
using orch::LayerProgram;

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

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
  Traces(const Options& o, double core_mhz) {
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
  [[nodiscard]] traces::Sink* sink() { return fanout_.empty() ? nullptr : &fanout_; }
  void check_scope() const {
    if (vcd_) vcd_->check_scope();
  }
  void finish() {
    if (chrome_) chrome_->finish();
    if (vcd_) vcd_->finish();
  }

 private:
  traces::FanoutSink fanout_;
  std::unique_ptr<traces::ChromeTraceWriter> chrome_;
  std::unique_ptr<traces::VcdWriter> vcd_;
};

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.flush();
  if (!file) throw config_error("{}: cannot be written", path.string());
}

/// Creates the directory; a default name carries the time, as the contract says.
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

bool holds_all(const LayerCase& layer, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const orch::TensorSpec* spec = orch::find_tensor(name);
    if (spec != nullptr && !spec->is_input() && !layer.expected.contains(name)) return false;
  }
  return true;
}

/// add_reference_results() on all processors; returns the seconds that it took.
double compute_reference(LayerCase& layer) {
  const Stopwatch watch;
  orch::add_reference_results(layer, processors());
  return watch.seconds();
}

/// Inputs, the intermediates that the workload starts from, and what its results are compared with.
LayerCase make_case(const Options& o, CaseSource& source, const orch::Workload& workload, const LayerProgram& program,
                    double& golden_s) {
  const bool timing = o.mode == model::Mode::Timing;  // nothing to compare
  const bool needs_reference = (!o.skip_golden && !timing) || program.needs_intermediates();
  if (!source.from_file) {
    orch::GenerateOptions generate;
    generate.seed = o.seed.value_or(0);
    generate.start_pos = o.start_pos;
    if (!needs_reference) {
      const auto& names = program.initial_tensors();
      generate.wanted = [&, sources = timing ? orch::given_sources()
                                             : std::vector<std::string_view>{}](std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end() ||
               std::find(sources.begin(), sources.end(), name) != sources.end();
      };
    }
    LayerCase layer = orch::generate_case(source.config, generate);
    if (needs_reference) golden_s = compute_reference(layer);
    return layer;
  }
  LayerCase layer = std::move(source.file);
  if (!needs_reference) return layer;
  orch::add_derived_results(layer, processors());
  const bool complete = holds_all(layer, program.initial_tensors());
  bool expects_any = o.skip_golden;
  for (const orch::OutputRule& output : workload.outputs) expects_any = expects_any || layer.expects(output.tensor);
  if (!complete || !expects_any) {
    // A file of inputs alone: all results from one source, never a mixture.
    layer.expected.clear();
    layer.changes.clear();
    golden_s = compute_reference(layer);
  }
  return layer;
}

void save_data(const fs::path& directory, const LayerCase& layer, const LayerProgram& program) {
  orch::save_case(layer, (directory / "expected.safetensors").string());
  LayerCase actual = layer;
  actual.changes.clear();
  actual.expected = program.results();
  orch::save_case(actual, (directory / "actual.safetensors").string());
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
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

int run_workload(const Options& o) {
  const Stopwatch preparation;
  const orch::Workload& workload = orch::find_workload(o.workload);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  CaseSource source = open_case(o);
  if (!o.start_skew_us.empty() && o.start_skew_us.size() != source.config.ranks) {
    throw config_error("--start-skew-us gives {} delays for {} cards", o.start_skew_us.size(), source.config.ranks);
  }
  Traces traces{o, machine.params.clock.core_mhz};
  LayerProgram program{workload,
                       source.config,
                       machine,
                       {.cards = source.config.ranks,
                        .mode = o.mode,
                        .ideal_scheduler = o.ideal_scheduler,
                        .start_skew_us = o.start_skew_us,
                        .sink = traces.sink()}};
  traces.check_scope();
  if (o.compile_only) {
    fmt::print("{} kernels, {} tasks on {} cards verified and allocated\n", program.kernels().all().size(),
               program.task_count(), source.config.ranks);
    fmt::print("[RUN] PASS compiled only\n");
    return 0;
  }
  double golden_s = 0;
  const LayerCase layer = make_case(o, source, workload, program, golden_s);
  const fs::path directory = make_directory(o.out, o.workload);
  program.load(layer);

  const double prepare_s = preparation.seconds() - golden_s;
  const Stopwatch simulation;
  program.run();
  const double wall_s = simulation.seconds();
  traces.finish();

  orch::RunReport report{.workload = o.workload,
                         .platform = machine.arch.name,
                         .preset = source.preset,
                         .seed = o.seed.value_or(0),
                         .config = source.config,
                         .kind = orch::attention_kind(source.config),
                         .machine = &machine,
                         .timed = o.mode != model::Mode::Functional,
                         .outputs = {},
                         .stats = program.stats(),
                         .cost = {wall_s, prepare_s, golden_s, peak_rss_mib()}};
  if (!o.skip_golden && o.mode != model::Mode::Timing) report.outputs = program.compare(layer);
  const std::string json = orch::summary_json(report);
  write_text(directory / "summary.json", json);
  write_text(directory / "machine.toml", model::effective_toml(machine));
  orch::Metadata layer_config;
  orch::add_config(layer_config, source.config);
  write_text(directory / "layer.json", layer_config.at("config") + "\n");
  if (o.save_data) save_data(make_directory(o.save_data, o.workload), layer, program);
  fmt::print("{}", o.json ? json : orch::summary_text(report));
  const bool pass = orch::verdict_of(report.outputs) != orch::Verdict::Fail;
  fmt::print("[RUN] {} {}\n", pass ? "PASS" : "FAIL", reason(report));
  return pass ? 0 : 1;
}

}  // namespace npu::cli
