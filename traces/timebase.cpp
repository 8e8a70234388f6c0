#include "traces/timebase.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "isa/errors.hpp"

namespace npu::traces {
namespace {

constexpr std::string_view kWindowForm = "expected START:END in core cycles, for example 1000:5000, 1000: or :5000";

Cycles parse_edge(std::string_view window, std::string_view edge, Cycles if_empty) {
  if (edge.empty()) return if_empty;
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(edge.data(), edge.data() + edge.size(), value);
  if (error != std::errc{} || rest != edge.data() + edge.size()) {
    throw config_error("trace window '{}': '{}' is not a cycle count; {}", window, edge, kWindowForm);
  }
  return Cycles{value};
}

}  // namespace

Timebase::Timebase(double core_mhz) : core_mhz_{core_mhz} {
  if (!(core_mhz >= 1 && core_mhz <= 100'000)) {
    throw config_error("trace clock: expected 1..100000 MHz, got {}", core_mhz);
  }
  period_fs_ = static_cast<std::uint64_t>(std::llround(1e9 / core_mhz));
}

Window parse_window(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) throw config_error("trace window '{}': {}", text, kWindowForm);
  const Window all;
  const Window window{parse_edge(text, text.substr(0, colon), all.begin),
                      parse_edge(text, text.substr(colon + 1), all.end)};
  if (window.begin >= window.end) {
    throw config_error("trace window '{}': the end must be after the start; {}", text, kWindowForm);
  }
  return window;
}

Level parse_level(std::string_view text) {
  if (text == "task") return Level::Task;
  if (text == "pipe") return Level::Pipe;
  if (text == "signal") return Level::Signal;
  throw config_error("VCD level '{}': expected task, pipe or signal", text);
}

TimelineLevel parse_timeline_level(std::string_view text) {
  if (text == "task") return TimelineLevel::Task;
  if (text == "pipe") return TimelineLevel::Pipe;
  if (text == "instruction") return TimelineLevel::Instruction;
  throw config_error("trace level '{}': expected task, pipe or instruction", text);
}

}  // namespace npu::traces
