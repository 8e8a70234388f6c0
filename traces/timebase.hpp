// What every writer of traces needs to know about time: the clock behind a cycle, the recorded window, the detail.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "isa/units.hpp"

namespace npu::traces {

using isa::Cycles;

/// Converts core cycles to wall units of a file. The period is rounded once, to 1 fs, as in the model; every
/// conversion starts from the absolute cycle and rounds down, so errors do not add up and order is kept.
/// Exact for up to 10^13 cycles.
class Timebase {
 public:
  /// Throws ConfigError unless 1 <= core_mhz <= 100000.
  explicit Timebase(double core_mhz);
  [[nodiscard]] double core_mhz() const { return core_mhz_; }
  /// In 1024ths of a microsecond: the grid nearest to 1 ns on which sums and differences of doubles are exact.
  [[nodiscard]] std::uint64_t microseconds_1024(Cycles at) const {
    constexpr std::uint64_t kFsPerUs = 1'000'000'000;
    const std::uint64_t fs = at.count() * period_fs_;
    return fs / kFsPerUs * 1024 + fs % kFsPerUs * 1024 / kFsPerUs;
  }
  [[nodiscard]] std::uint64_t picoseconds(Cycles at) const { return at.count() * period_fs_ / 1'000; }

 private:
  double core_mhz_;
  std::uint64_t period_fs_;
};

/// The recorded part of a run, [begin, end) in core cycles. Spans that reach over an edge are cut there.
struct Window {
  Cycles begin{0};
  Cycles end{std::numeric_limits<std::uint64_t>::max()};

  [[nodiscard]] constexpr bool contains(Cycles at) const { return begin <= at && at < end; }
  /// Cuts [from, to) to the window; false if nothing of it lies inside. An empty span counts as the point `from`.
  [[nodiscard]] constexpr bool clip(Cycles& from, Cycles& to) const {
    if (from >= end || (to <= begin && !contains(from))) return false;
    from = std::max(from, begin);
    to = std::min(to, end);
    return true;
  }
};

/// `START:END` in core cycles; either side may be empty. Throws ConfigError for other text and for an empty window.
[[nodiscard]] Window parse_window(std::string_view text);

/// Detail of a waveform. Task: cores and links. Pipe: also the pipes of the cores. Signal: also program counters.
enum class Level : std::uint8_t { Task, Pipe, Signal };

/// `task`, `pipe` or `signal`; throws ConfigError for anything else.
[[nodiscard]] Level parse_level(std::string_view text);

/// Detail of a timeline. Task: cores and links. Pipe: also when the pipes of the cores are busy and why they wait.
/// Instruction: every instruction instead of busy times.
enum class TimelineLevel : std::uint8_t { Task, Pipe, Instruction };

/// `task`, `pipe` or `instruction`; throws ConfigError for anything else.
[[nodiscard]] TimelineLevel parse_timeline_level(std::string_view text);

}  // namespace npu::traces
