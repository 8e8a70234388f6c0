// Timeline for Perfetto (ui.perfetto.dev) and chrome://tracing: the JSON object form of the Trace Event Format.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/name_table.hpp"
#include "traces/sink.hpp"
#include "traces/text_file.hpp"
#include "traces/timebase.hpp"

namespace npu::traces {

struct ChromeTraceOptions {
  double core_mhz;  ///< clock of the cycles of all events
  Window window{};
  Level level = Level::Pipe;                       ///< Task leaves out the rows of pipes; Signal shows what Pipe shows
  std::uint64_t limit_bytes = TextFile::kNoLimit;  ///< events beyond it are left out
};

/// Streams events to a file as they arrive. One process per card, one for the host, one for the links; one thread per
/// track, in reading order (row_order.hpp). Times are microseconds on a grid of 1 ns, the resolution of Perfetto: begin
/// and end are rounded down separately, so neighbours stay neighbours. The exact cycles stand in `args`.
///
/// Arrows start 1 ns before the end that they mean and end 1 ns after the begin, because the viewers bind an arrow to
/// the slice that is open at its time. Arrows with an end outside the window, or on a row that is not shown, are left
/// out.
class ChromeTraceWriter final : public Sink {
 public:
  /// Throws ConfigError if the file cannot be created.
  ChromeTraceWriter(std::string path, const ChromeTraceOptions& options);
  ChromeTraceWriter(const ChromeTraceWriter&) = delete;
  ChromeTraceWriter& operator=(const ChromeTraceWriter&) = delete;

  TrackId add_track(const TrackInfo& info) override;
  NameId intern(std::string_view name) override;
  void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, std::uint64_t detail) override;
  void flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) override;
  void counter(TrackId track, NameId name, Cycles at, std::uint64_t value) override;

  /// Completes the file and puts it under its name; a trace that nobody finishes leaves nothing. Throws ConfigError if
  /// any write failed. Events may not follow.
  void finish();
  /// Whether events were left out because of the limit.
  [[nodiscard]] bool is_cut() const { return file_.is_cut(); }

 private:
  struct Counter {
    NameId name;
    std::string place;  ///< `,"pid":..,"name":".."`
    bool has_earlier = false;
    std::uint64_t earlier = 0;  ///< last value before the window
  };
  struct Row {
    std::string place;  ///< `,"pid":..,"tid":..`
    std::uint64_t process = 0;
    bool shown = false;
    std::vector<Counter> counters;
  };

  [[nodiscard]] Row& row(TrackId track) {
    if (announced_ < tracks_.size()) announce_rows();
    return rows_[static_cast<std::size_t>(track)];
  }
  void announce_rows();
  void announce_process(std::uint64_t process, std::string_view name, std::uint64_t sort_index);
  Counter& counter_of(Row& row, TrackId track, NameId name);
  /// The start of an event with room for its fixed parts and `text_bytes`.
  [[nodiscard]] Pen begin_event(char phase, std::size_t text_bytes);
  void put_metadata(std::string_view what, std::string_view place, std::string_view key, std::string_view json_value);
  void put_arrow(char phase, FlowKind kind, const Row& row, std::uint64_t nanoseconds);
  void put_sample(const Counter& counter, Cycles at, std::uint64_t value);

  Timebase time_;
  Window window_;
  Level level_;
  TextFile file_;
  NameTable names_;
  std::vector<std::string> json_names_;  ///< by NameId, quoted and escaped
  std::array<std::string, kWaitReasonCount> wait_heads_;
  std::vector<TrackInfo> tracks_;
  std::vector<Row> rows_;
  std::size_t announced_ = 0;
  std::vector<std::uint64_t> processes_;  ///< those whose name is written
  std::uint64_t arrows_ = 0;
  bool first_event_ = true;
  bool finished_ = false;
};

}  // namespace npu::traces
