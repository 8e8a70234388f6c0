#include "orchestration/cli/run_record.hpp"

#include <filesystem>

#include "isa/errors.hpp"
#include "isa/stop_signal.hpp"
#include "orchestration/cli/output_paths.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "orchestration/report/comparison_text.hpp"
#include "traces/output_file.hpp"

namespace npu::cli {
namespace {

orch::RunReport report_of(const Options& o, const model::Machine& machine) {
  orch::RunReport report;
  report.workload = std::filesystem::path{o.workload}.filename().string();
  report.platform = machine.arch.name;
  report.seed = o.seed.value_or(0);
  report.machine = &machine;
  report.timed = o.mode != model::Mode::Functional;
  return report;
}

/// The clause behind PASS, SKIP or FAIL.
std::string reason(const Options& o, const orch::RunReport& report) {
  std::string text;
  switch (orch::verdict_of(report.outputs)) {
    case orch::Verdict::Skipped:
      text = o.mode == model::Mode::Timing ? "nothing compared: --mode timing computes no results"
             : o.skip_golden               ? "nothing compared: --skip-golden"
                                           : "nothing compared: no expected outputs are given";
      break;
    case orch::Verdict::Pass:
      text = fmt::format("{} outputs match", orch::compared_outputs(report.outputs));
      break;
    case orch::Verdict::Fail:
      for (const orch::Comparison& c : report.outputs) {
        if (c.pass) continue;
        text = orch::failure_clause(c);
        break;
      }
      break;
  }
  if (report.timed) text += fmt::format(", {:.3f} us", orch::effective_us(report));
  return text;
}

const Options& with_own_outputs(const Options& o) {
  refuse_shared_paths(paths_of(o));
  return o;
}

}  // namespace

RunRecord::RunRecord(const Options& options, const model::Machine& machine)
    : options_{with_own_outputs(options)},
      report_{report_of(options, machine)},
      traces_{options, machine.params.clock.core_mhz},
      checks_{options.checks} {}

model::SystemOptions RunRecord::system_options(std::uint32_t cards) {
  return {.cards = cards,
          .mode = options_.mode,
          .ideal_scheduler = options_.ideal_scheduler,
          .start_skew_us = options_.start_skew_us,
          .sink = traces_.sink(),
          .on_progress = progress_.callback(),
          .max_us = options_.max_us,
          .stop_signal = &stop_signal,
          .observers = checks_.observers()};
}

int RunRecord::watch(const std::function<int()>& steps) {
  try {
    return steps();
  } catch (const std::exception& error) {
    fail(error);
    throw;
  }
}

void RunRecord::accept() {
  directory_.emplace(options_.out, std::filesystem::path{options_.workload}.stem().string());
  if (const auto directory = options_.flags.text("--save-data")) make_directory(*directory, "--save-data");
  traces::write_file(directory_->file("machine.toml"), model::effective_toml(*report_.machine));
  if (!report_.config) return;
  traces::write_file(directory_->file("layer.json"), orch::config_json(*report_.config, report_.start_pos) + "\n");
}

void RunRecord::simulate(std::size_t tasks, const std::function<void()>& run,
                         const std::function<model::RunStats()>& stats) {
  throw_if_stopped();
  progress_.expect(tasks);
  traces_.begin();
  const orch::Stopwatch watch;
  const auto take = [&] {
    report_.cost.wall_s = watch.seconds();
    report_.cost.peak_rss_mib = peak_rss_mib();
    report_.stats = stats();
  };
  try {
    run();
  } catch (...) {
    take();
    throw;
  }
  take();
  traces_.finish();
  traces_.warn_if_empty(report_.stats.host_end);
  throw_if_stopped();
}

void RunRecord::leave_summary() {
  report_.findings = checks_.findings();
  const std::string json = orch::summary_json(report_);
  traces::write_file(directory_->file("summary.json"), json);
  if (options_.json) print_text(Stream::Out, json);
}

void RunRecord::print_findings() const {
  for (const model::Finding& f : report_.findings) {
    print(Stream::Err, "{} {}\n  at    {} ({}, cycle {})\n", coloured(Stream::Err, Colour::Yellow, f.check + ":"),
          f.message, f.here.instruction, f.here.core, f.here.cycle);
    if (!f.other.instruction.empty()) print(Stream::Err, "  other {} ({})\n", f.other.instruction, f.other.core);
    print(Stream::Err, "  way out: {}{}\n", f.remedy, f.count == 1 ? "" : fmt::format(" (found {} times)", f.count));
  }
}

int RunRecord::finish() {
  throw_if_stopped();
  leave_summary();
  print_findings();
  if (!options_.json) print_text(Stream::Out, orch::summary_text(report_));
  const orch::Verdict verdict = orch::verdict_of(report_.outputs);
  if (verdict != orch::Verdict::Fail && options_.strict && !report_.findings.empty()) {
    print_verdict(options_.json, Colour::Red, "FAIL",
                  fmt::format("{} findings of --check under --strict", report_.findings.size()));
    return kFinding;
  }
  switch (verdict) {
    case orch::Verdict::Fail:
      print_verdict(options_.json, Colour::Red, "FAIL", reason(options_, report_));
      return kMismatch;
    case orch::Verdict::Pass:
      print_verdict(options_.json, Colour::Green, "PASS", reason(options_, report_));
      return kPass;
    case orch::Verdict::Skipped:
      print_verdict(options_.json, Colour::Yellow, "SKIP", reason(options_, report_));
      return kPass;
  }
  return kPass;
}

void RunRecord::fail(const std::exception& error) noexcept {
  // One file that cannot be written does not keep another from being left.
  const auto attempt = [](const auto& step) {
    try {
      step();
    } catch (const std::exception& second) {
      print_error(second.what());
    }
  };
  attempt([&] {
    const Failure failure = failure_of(error);
    const bool touches_nothing = !directory_ && failure.exit_status == kConfigError;
    if (touches_nothing || options_.compile_only) return;
    attempt([&] { traces_.finish(); });
    if (!directory_) accept();
    report_.status = failure.status;
    report_.error = failure.text;
    leave_summary();
    print_findings();
  });
}

void print_verdict(bool json, Colour colour, std::string_view verdict, std::string_view reason) {
  const Stream stream = json ? Stream::Err : Stream::Out;
  print(stream, "[RUN] {} {}\n", coloured(stream, colour, verdict), reason);
}

int finish_compile(const Options& o, const std::string& built) {
  print(o.json ? Stream::Err : Stream::Out, "{}\n", built);  // there is no summary without a run
  print_verdict(o.json, Colour::Green, "PASS", "compiled only");
  return kPass;
}

}  // namespace npu::cli
