// Events kept in memory, for tests and for reports that need a whole run.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "traces/name_table.hpp"
#include "traces/sink.hpp"

namespace npu::traces {

struct RecordedSpan {
  TrackId track{};
  SpanKind kind{};
  NameId name{};
  Cycles begin, end;
  std::uint64_t detail = 0;
  bool operator==(const RecordedSpan&) const = default;
};
struct RecordedFlow {
  FlowKind kind{};
  TrackId from{};
  Cycles from_time;
  TrackId to{};
  Cycles to_time;
  bool operator==(const RecordedFlow&) const = default;
};
struct RecordedCounter {
  TrackId track{};
  NameId name{};
  Cycles at;
  std::uint64_t value = 0;
  bool operator==(const RecordedCounter&) const = default;
};

/// Keeps every event in order of arrival; 48 bytes a span.
class SpySink final : public Sink {
 public:
  TrackId add_track(const TrackInfo& info) override;
  NameId intern(std::string_view name) override { return names_.intern(name); }
  void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, std::uint64_t detail) override;
  void flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) override;
  void counter(TrackId track, NameId name, Cycles at, std::uint64_t value) override;

  [[nodiscard]] const std::vector<TrackInfo>& tracks() const { return tracks_; }
  [[nodiscard]] const TrackInfo& track(TrackId id) const { return tracks_.at(static_cast<std::size_t>(id)); }
  /// Empty if no track has this name.
  [[nodiscard]] std::optional<TrackId> find_track(std::string_view name) const;
  [[nodiscard]] const std::string& name(NameId id) const { return names_[id]; }

  [[nodiscard]] const std::vector<RecordedSpan>& spans() const { return spans_; }
  [[nodiscard]] const std::vector<RecordedFlow>& flows() const { return flows_; }
  [[nodiscard]] const std::vector<RecordedCounter>& counters() const { return counters_; }
  /// Spans of one track in order of arrival; empty if there is no such track.
  [[nodiscard]] std::vector<RecordedSpan> spans_on(std::string_view track_name) const;
  /// Cycles that spans of `kind` fill on a track.
  [[nodiscard]] Cycles total(std::string_view track_name, SpanKind kind) const;

  /// The first two spans of one track that break the contract of Sink: the second begins before the first one ends.
  [[nodiscard]] std::optional<std::pair<RecordedSpan, RecordedSpan>> first_overlap() const;

 private:
  std::vector<TrackInfo> tracks_;
  NameTable names_;
  std::vector<RecordedSpan> spans_;
  std::vector<RecordedFlow> flows_;
  std::vector<RecordedCounter> counters_;
};

}  // namespace npu::traces
