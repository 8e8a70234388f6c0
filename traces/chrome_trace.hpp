// Timeline for Perfetto (ui.perfetto.dev) and speedscope: the JSON object form of the Trace Event Format.
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
  TimelineLevel level = TimelineLevel::Instruction;
  std::uint64_t limit_bytes = TextFile::kNoLimit;  ///< events beyond it are left out
};

/// Streams events to a file as they arrive, compressed if its name ends in `.gz`. One process per group of rows
/// (row_order.hpp: host, a card, the pipes of a cluster, links), one thread per track, in reading order; a track
/// without events has no row.
///
/// Times are microseconds on a grid of 1/1024, on which importers that add and subtract doubles make no error; begin
/// and end are rounded down separately, so neighbours stay neighbours. The exact cycles stand in `args`. Slices shorter
/// than two steps are left out, because Perfetto cuts lengths to whole ns and would see nothing of them. Waits of one
/// reason that touch are one slice, at TimelineLevel::Pipe also instructions.
///
/// Arrows start 3 steps before the end that they mean and end 2 steps after the begin, because the viewers bind an
/// arrow to the slice that is open at its time. Arrows with an end outside the window, or on a row that is not shown,
/// are left out.
class ChromeTraceWriter final : public Sink {
 public:
  /// Throws ConfigError if the file cannot be created.
  ChromeTraceWriter(std::string path, const ChromeTraceOptions& options);
  ChromeTraceWriter(const ChromeTraceWriter&) = delete;
  ChromeTraceWriter& operator=(const ChromeTraceWriter&) = delete;

  TrackId add_track(const TrackInfo& info) override;
  NameId intern(std::string_view name) override;
  void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) override;
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
  struct Process {
    std::string name;
    bool announced = false;
  };
  struct Slice {
    SpanKind kind{};
    NameId name{};
    Cycles begin, end;
    Detail detail{0};
    std::uint64_t spans = 0;  ///< how many it stands for; 0: there is none
  };
  struct Row {
    std::string place;  ///< `,"pid":..,"tid":..`
    std::size_t process = 0;
    std::uint64_t thread = 0;
    bool shown = false;
    bool announced = false;
    Slice last;  ///< not yet written: the next span may go on with it
    std::vector<Counter> counters;
  };

  [[nodiscard]] Row& row(TrackId track) {
    if (placed_ < tracks_.size()) place_rows();
    return rows_[static_cast<std::size_t>(track)];
  }
  void place_rows();
  [[nodiscard]] std::size_t process_named(const std::string& name);
  void announce(Process& process);
  void announce(Row& row);
  Counter& counter_of(Row& row, TrackId track, NameId name);
  /// The start of an event with room for its fixed parts and `text_bytes`.
  [[nodiscard]] Pen begin_event(char phase, std::size_t text_bytes);
  void put_metadata(std::string_view what, std::string_view place, std::string_view key, std::string_view json_value);
  [[nodiscard]] bool goes_on(const Slice& slice, SpanKind kind, Cycles begin, const Detail& detail) const;
  void put_slice(Row& row);
  void put_args(Pen& pen, const Slice& slice) const;
  void put_arrow(char phase, FlowKind kind, Row& row, std::uint64_t time);
  void put_sample(Row& row, const Counter& counter, Cycles at, std::uint64_t value);

  Timebase time_;
  Window window_;
  TimelineLevel level_;
  TextFile file_;
  NameTable names_;
  std::vector<std::string> json_names_;                   ///< by NameId, quoted and escaped
  std::array<std::string, kWaitReasonCount> wait_names_;  ///< quoted
  std::vector<TrackInfo> tracks_;
  std::vector<Row> rows_;
  std::size_t placed_ = 0;
  std::vector<Process> processes_;  ///< by process id - 1
  std::uint64_t arrows_ = 0;
  bool first_event_ = true;
  bool finished_ = false;
};

}  // namespace npu::traces
