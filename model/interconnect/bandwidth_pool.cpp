#include "model/interconnect/bandwidth_pool.hpp"

namespace npu::model {

BandwidthPool::BandwidthPool(const sc_core::sc_module_name& name, double bytes_per_cycle, const Clock& clock,
                             FaultLatch& faults, FlowListener& listener)
    : sc_module{name}, clock_{clock}, faults_{faults}, listener_{listener}, flows_{bytes_per_cycle} {
  SC_HAS_PROCESS(BandwidthPool);
  SC_METHOD(wake);
  sensitive << wake_;
  dont_initialize();
}

void BandwidthPool::trace_to(traces::Sink& sink, const traces::TrackInfo& track) {
  sink_ = &sink;
  track_ = sink.add_track(track);
  span_name_ = sink.intern("transfer");
}

void BandwidthPool::start(std::uint32_t flow, double bytes, double cap) {
  arrivals_.push_back({flow, bytes, cap});
  wake_.notify(sc_core::SC_ZERO_TIME);  // overrides the notification of the next end, which serve_flows() sets again
}

std::uint64_t BandwidthPool::busy_cycles() const {
  return busy_cycles_ + (flows_.empty() ? 0 : clock_.now() - busy_since_);
}

void BandwidthPool::cut_off() {
  if (!flows_.empty()) end_busy_period(clock_.now());
}

void BandwidthPool::wake() {
  faults_.guard([this] { serve_flows(); });
}

void BandwidthPool::serve_flows() {
  const std::uint64_t now = clock_.now();
  const bool was_busy = !flows_.empty();
  flows_.advance(now, finished_);
  if (was_busy && flows_.empty()) end_busy_period(now);
  if (flows_.empty() && !arrivals_.empty()) {
    busy_since_ = now;
    period_bytes_ = 0;
  }
  for (const Arrival& a : arrivals_) {
    flows_.add(a.flow, a.bytes, a.cap);
    period_bytes_ += a.bytes;
  }
  arrivals_.clear();
  const std::uint64_t next = flows_.divide();
  if (next != FlowSet::kNever) clock_.notify_at(wake_, next);
  for (const std::uint32_t flow : finished_) listener_.flow_finished(flow);
  finished_.clear();
}

void BandwidthPool::end_busy_period(std::uint64_t now) {
  busy_cycles_ += now - busy_since_;
  if (sink_ != nullptr) {
    sink_->span(track_, traces::SpanKind::Transfer, span_name_, isa::Cycles{busy_since_}, isa::Cycles{now},
                static_cast<std::uint64_t>(period_bytes_));
  }
  busy_since_ = now;
}

}  // namespace npu::model
