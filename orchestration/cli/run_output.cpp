#include "orchestration/cli/run_output.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "orchestration/cli/console.hpp"
#include "orchestration/report/progress.hpp"

namespace npu::cli {
namespace {

constexpr double kQuietSeconds = 2.0;  ///< a shorter run says nothing
constexpr double kRefreshSeconds = 0.5;

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

Traces::Traces(const Options& o, double core_mhz)
    : window_{o.trace_window.empty() ? traces::Window{} : traces::parse_window(o.trace_window)},
      limit_mib_{o.trace_limit_mib} {
  const std::uint64_t limit_bytes = o.trace_limit_mib << 20U;
  if (o.trace) {
    const traces::TimelineLevel level =
        o.trace_level.empty() ? traces::TimelineLevel::Instruction : traces::parse_timeline_level(o.trace_level);
    chrome_ = std::make_unique<traces::ChromeTraceWriter>(
        *o.trace, traces::ChromeTraceOptions{
                      .core_mhz = core_mhz, .window = window_, .level = level, .limit_bytes = limit_bytes});
    fanout_.add(*chrome_);
  }
  if (o.vcd) {
    const traces::Level level = o.vcd_level.empty() ? traces::Level::Pipe : traces::parse_level(o.vcd_level);
    vcd_ = std::make_unique<traces::VcdWriter>(
        *o.vcd,
        traces::VcdOptions{
            .core_mhz = core_mhz, .level = level, .window = window_, .scope = o.vcd_scope, .limit_bytes = limit_bytes});
    fanout_.add(*vcd_);
  }
}

void Traces::check_scope() const {
  if (vcd_) vcd_->check_scope();
}

void Traces::finish() {
  if (!begun_) return;
  if (chrome_) chrome_->finish();
  if (vcd_) vcd_->finish();
  if ((chrome_ && chrome_->is_cut()) || (vcd_ && vcd_->is_cut())) {
    print_warning(
        fmt::format("a trace has reached --trace-limit-mib {}; what came later is left out. Raise the limit, or record "
                    "less (--trace-level, --trace-window, --vcd-scope, --vcd-level)",
                    limit_mib_));
  }
}

void Traces::warn_if_empty(model::Cycles end) {
  if (sink() != nullptr && window_.begin >= end) {
    print_warning(
        fmt::format("--trace-window begins at cycle {}, but the run ended at cycle {}; the traces show nothing",
                    window_.begin.count(), end.count()));
  }
}

Progress::Progress() : begin_{Clock::now()}, on_terminal_{isatty(STDERR_FILENO) == 1} {}

Progress::~Progress() {
  if (visible_) print(Stream::Err, "\r\x1b[K");
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
  print(Stream::Err, "\r\x1b[K{}", orch::progress_text(now, tasks_, seconds(time - run_begin_)));
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace npu::cli
