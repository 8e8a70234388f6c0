#include "traces/recorder.hpp"

#include <algorithm>
#include <iterator>

#include "isa/errors.hpp"

namespace npu::traces {

TrackId SpySink::add_track(const TrackInfo& info) {
  tracks_.push_back(info);
  return static_cast<TrackId>(tracks_.size() - 1);
}

void SpySink::span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, std::uint64_t detail) {
  NPU_ASSERT(begin <= end, "a span ends before it begins");
  spans_.push_back({track, kind, name, begin, end, detail});
}

void SpySink::flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) {
  flows_.push_back({kind, from, from_time, to, to_time});
}

void SpySink::counter(TrackId track, NameId name, Cycles at, std::uint64_t value) {
  counters_.push_back({track, name, at, value});
}

std::optional<TrackId> SpySink::find_track(std::string_view name) const {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const auto& t) { return t.name == name; });
  if (found == tracks_.end()) return std::nullopt;
  return static_cast<TrackId>(found - tracks_.begin());
}

std::vector<RecordedSpan> SpySink::spans_on(std::string_view track_name) const {
  std::vector<RecordedSpan> found;
  const auto id = find_track(track_name);
  std::copy_if(spans_.begin(), spans_.end(), std::back_inserter(found), [&](const auto& s) { return s.track == id; });
  return found;
}

Cycles SpySink::total(std::string_view track_name, SpanKind kind) const {
  Cycles sum;
  for (const RecordedSpan& s : spans_on(track_name)) {
    if (s.kind == kind) sum += elapsed(s.begin, s.end);
  }
  return sum;
}

std::optional<std::pair<RecordedSpan, RecordedSpan>> SpySink::first_overlap() const {
  std::vector<const RecordedSpan*> latest(tracks_.size(), nullptr);
  for (const RecordedSpan& s : spans_) {
    const RecordedSpan*& previous = latest[static_cast<std::size_t>(s.track)];
    if (previous != nullptr && s.begin < previous->end) return std::pair{*previous, s};
    previous = &s;
  }
  return std::nullopt;
}

}  // namespace npu::traces
