#include "model/interconnect/bandwidth_pool.hpp"

#include <algorithm>
#include <utility>

namespace npu::model {

BandwidthPool::BandwidthPool(const sc_core::sc_module_name& name, double bytes_per_cycle, const Clock& clock,
                             FaultLatch& faults, FlowListener& listener)
    : sc_module{name}, clock_{clock}, faults_{faults}, listener_{listener}, flows_{bytes_per_cycle} {
  SC_HAS_PROCESS(BandwidthPool);
  SC_METHOD(wake);
  sensitive << wake_;
  dont_initialize();
}

void BandwidthPool::trace_to(traces::Sink& sink, const traces::TrackInfo& track, double core_mhz,
                             std::uint64_t sample_cycles) {
  constexpr double kMhzPerGhz = 1000;
  trace_.emplace(Trace{.sink = sink,
                       .track = sink.add_track(track),
                       .is_link = track.kind == traces::TrackKind::Link,
                       .gb_per_s = core_mhz / kMhzPerGhz,
                       .sample_cycles = sample_cycles,
                       .span_name = sink.intern("transfer"),
                       .rate_name = sink.intern("GB/s"),
                       .bytes_name = sink.intern("bytes")});
}

void BandwidthPool::start(std::uint32_t flow, double bytes, double cap) {
  arrivals_.push_back({flow, bytes, cap});
  wake_.notify(sc_core::SC_ZERO_TIME);  // overrides the notification of the next end, which serve_flows() sets again
}

std::uint64_t BandwidthPool::busy_cycles() const {
  return busy_cycles_ + (flows_.empty() ? 0 : clock_.now() - busy_since_);
}

void BandwidthPool::end_run() {
  if (!flows_.empty()) end_busy_period(clock_.now());
  if (trace_) sample(clock_.now(), true);
}

void BandwidthPool::wake() {
  faults_.guard([this] { serve_flows(); });
}

void BandwidthPool::serve_flows() {
  const std::uint64_t now = clock_.now();
  const bool was_busy = !flows_.empty();
  flows_.advance(now, finished_);
  if (trace_) {
    if (was_busy) trace_->busy_until = now;
    sample(now, false);
  }
  if (was_busy && flows_.empty()) end_busy_period(now);
  if (flows_.empty() && !arrivals_.empty()) {
    busy_since_ = now;
    period_bytes_ = 0;
  }
  for (const Arrival& a : arrivals_) {
    flows_.add(a.flow, a.bytes, a.cap);
    period_bytes_ += a.bytes;
    if (trace_) trace_->started += a.bytes;
  }
  arrivals_.clear();
  const std::uint64_t next = flows_.divide();
  if (next != FlowSet::kNever) clock_.notify_at(wake_, next);
  for (const std::uint32_t flow : finished_) listener_.flow_finished(flow);
  finished_.clear();
}

void BandwidthPool::end_busy_period(std::uint64_t now) {
  busy_cycles_ += now - busy_since_;
  const std::uint64_t begin = std::exchange(busy_since_, now);
  if (!trace_ || !trace_->is_link) return;
  trace_->sink.span(trace_->track, traces::SpanKind::Transfer, trace_->span_name, isa::Cycles{begin}, isa::Cycles{now},
                    static_cast<std::uint64_t>(period_bytes_));
  trace_->sink.counter(trace_->track, trace_->bytes_name, isa::Cycles{now},
                       static_cast<std::uint64_t>(trace_->started));
}

void BandwidthPool::sample(std::uint64_t now, bool is_last) {
  Trace& t = *trace_;
  const auto put = [&](std::uint64_t at, std::uint64_t rate) {
    if (std::exchange(t.last_rate, rate) != rate) t.sink.counter(t.track, t.rate_name, isa::Cycles{at}, rate);
  };
  if (t.open && now > t.since && (is_last || now - t.since >= t.sample_cycles)) {
    const std::uint64_t end = std::min(now, std::max(t.busy_until, t.since + t.sample_cycles));
    const double passed = t.started - flows_.bytes_left();
    const double rate = (passed - t.sampled) / static_cast<double>(end - t.since) * t.gb_per_s;
    put(t.since, static_cast<std::uint64_t>(rate + 0.5));
    t.open = !is_last && !flows_.empty();
    if (end < now || (!t.open && arrivals_.empty())) put(end, 0);
    t.sampled = passed;
    t.since = now;
  }
  if (!t.open && !arrivals_.empty()) {
    t.open = true;
    t.since = now;
  }
}

}  // namespace npu::model
