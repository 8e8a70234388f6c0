// One producer, several writers.
#pragma once

#include <vector>

#include "traces/name_table.hpp"
#include "traces/sink.hpp"

namespace npu::traces {

/// Forwards every event to each of its sinks, in the order in which they were added. Each sink hands out ids of its
/// own; the fan-out keeps the translation.
class FanoutSink final : public Sink {
 public:
  /// Must be called before the first track or name. The sink must outlive the fan-out.
  void add(Sink& sink);
  [[nodiscard]] bool empty() const { return branches_.empty(); }

  TrackId add_track(const TrackInfo& info) override;
  NameId intern(std::string_view name) override;
  void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) override;
  void flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) override;
  void counter(TrackId track, NameId name, Cycles at, std::uint64_t value) override;

 private:
  struct Branch {
    Sink* sink;
    std::vector<TrackId> tracks;
    std::vector<NameId> names;
    [[nodiscard]] TrackId track(TrackId id) const { return tracks[static_cast<std::size_t>(id)]; }
    [[nodiscard]] NameId name(NameId id) const { return names[static_cast<std::size_t>(id)]; }
  };
  std::vector<Branch> branches_;
  NameTable names_;
  std::uint32_t tracks_ = 0;
};

}  // namespace npu::traces
