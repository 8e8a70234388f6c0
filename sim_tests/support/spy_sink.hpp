// A sink that keeps every event, with names resolved, for assertions after the run.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "traces/sink.hpp"

namespace npu::test {

struct SpySpan {
  std::string track;
  traces::SpanKind kind;
  std::string name;
  std::uint64_t begin, end, detail;
  std::uint32_t task = traces::Detail::kNone;
  std::string subject{}, core{};
  bool operator==(const SpySpan&) const = default;
};
struct SpySample {
  std::string track, name;
  std::uint64_t at, value;
  bool operator==(const SpySample&) const = default;
};
struct SpyFlow {
  traces::FlowKind kind;
  std::string from;
  std::uint64_t from_time;
  std::string to;
  std::uint64_t to_time;
  bool operator==(const SpyFlow&) const = default;
};

class SpySink final : public traces::Sink {
 public:
  traces::TrackId add_track(const traces::TrackInfo& info) override {
    tracks.push_back(info.name);
    return traces::TrackId{static_cast<std::uint32_t>(tracks.size() - 1)};
  }
  traces::NameId intern(std::string_view name) override {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it != names.end()) return traces::NameId{static_cast<std::uint32_t>(it - names.begin())};
    names.emplace_back(name);
    return traces::NameId{static_cast<std::uint32_t>(names.size() - 1)};
  }
  void span(traces::TrackId t, traces::SpanKind kind, traces::NameId name, isa::Cycles begin, isa::Cycles end,
            const traces::Detail& detail) override {
    constexpr auto kNone = traces::Detail::kNone;
    spans.push_back({track(t), kind, this->name(name), begin.count(), end.count(), detail.value, detail.task,
                     detail.subject == traces::NameId{kNone} ? "" : this->name(detail.subject),
                     detail.core == traces::TrackId{kNone} ? "" : track(detail.core)});
  }
  void flow(traces::FlowKind kind, traces::TrackId from, isa::Cycles from_time, traces::TrackId to,
            isa::Cycles to_time) override {
    flows.push_back({kind, track(from), from_time.count(), track(to), to_time.count()});
  }
  void counter(traces::TrackId t, traces::NameId name, isa::Cycles at, std::uint64_t value) override {
    samples.push_back({track(t), this->name(name), at.count(), value});
  }

  [[nodiscard]] std::vector<SpySpan> on(const std::string& track_name) const {
    std::vector<SpySpan> found;
    for (const SpySpan& s : spans) {
      if (s.track == track_name) found.push_back(s);
    }
    return found;
  }

  std::vector<std::string> tracks, names;
  std::vector<SpySpan> spans;
  std::vector<SpyFlow> flows;
  std::vector<SpySample> samples;

 private:
  [[nodiscard]] const std::string& name(traces::NameId n) const { return names.at(static_cast<std::size_t>(n)); }
  [[nodiscard]] const std::string& track(traces::TrackId t) const { return tracks.at(static_cast<std::size_t>(t)); }
};

}  // namespace npu::test
