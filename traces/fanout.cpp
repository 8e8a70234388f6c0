#include "traces/fanout.hpp"

#include "isa/errors.hpp"

namespace npu::traces {

void FanoutSink::add(Sink& sink) {
  NPU_ASSERT(tracks_ == 0 && names_.size() == 0, "sinks join before the first track and name");
  branches_.push_back({&sink, {}, {}});
}

TrackId FanoutSink::add_track(const TrackInfo& info) {
  for (Branch& branch : branches_) branch.tracks.push_back(branch.sink->add_track(info));
  return static_cast<TrackId>(tracks_++);
}

NameId FanoutSink::intern(std::string_view name) {
  const std::size_t known = names_.size();
  const NameId id = names_.intern(name);
  if (names_.size() > known) {
    for (Branch& branch : branches_) branch.names.push_back(branch.sink->intern(name));
  }
  return id;
}

void FanoutSink::span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) {
  for (Branch& branch : branches_) {
    Detail own = detail;
    if (detail.subject != NameId{Detail::kNone}) own.subject = branch.name(detail.subject);
    if (detail.core != TrackId{Detail::kNone}) own.core = branch.track(detail.core);
    branch.sink->span(branch.track(track), kind, branch.name(name), begin, end, own);
  }
}

void FanoutSink::flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) {
  for (Branch& branch : branches_) branch.sink->flow(kind, branch.track(from), from_time, branch.track(to), to_time);
}

void FanoutSink::counter(TrackId track, NameId name, Cycles at, std::uint64_t value) {
  for (Branch& branch : branches_) branch.sink->counter(branch.track(track), branch.name(name), at, value);
}

}  // namespace npu::traces
