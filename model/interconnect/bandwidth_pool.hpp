// A shared bandwidth (HBM, one side of L2, one direction of a link) in simulated time: one process, one event, woken
// only when flows join and when the next one ends. Law: FlowSet. Latency is not modelled here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "model/environment.hpp"
#include "model/interconnect/flow_set.hpp"

namespace npu::model {

class FlowListener {
 public:
  virtual ~FlowListener() = default;
  /// At the cycle at which the flow's last byte has passed. Simultaneous ends come in no particular order.
  virtual void flow_finished(std::uint32_t flow) = 0;
};

class BandwidthPool final : public sc_core::sc_module {
 public:
  BandwidthPool(const sc_core::sc_module_name& name, double bytes_per_cycle, const Clock& clock, FaultLatch& faults,
                FlowListener& listener);

  /// Records the pool on a track of its own: its mean bandwidth as a counter in GB/s, sampled when flows come or go
  /// `sample_cycles` or more after the last sample; on a Link track also busy times as Transfer spans, and the bytes of
  /// all of them so far as a counter.
  void trace_to(traces::Sink& sink, const traces::TrackInfo& track, double core_mhz, std::uint64_t sample_cycles);

  /// A flow from now on. Flows that start in the same cycle share from the same cycle, in whatever order they come.
  void start(std::uint32_t flow, double bytes, double cap);
  /// Cycles with at least one flow, up to now.
  [[nodiscard]] std::uint64_t busy_cycles() const;
  /// Records the busy period and the sample that are open, up to now.
  void end_run();

 private:
  struct Arrival {
    std::uint32_t flow;
    double bytes, cap;
  };
  void wake();  // SC_METHOD
  void serve_flows();
  void end_busy_period(std::uint64_t now);

  const Clock& clock_;
  FaultLatch& faults_;
  FlowListener& listener_;
  FlowSet flows_;
  std::vector<Arrival> arrivals_;
  std::vector<std::uint32_t> finished_;
  sc_core::sc_event wake_;
  std::uint64_t busy_since_ = 0, busy_cycles_ = 0;
  double period_bytes_ = 0;  // of the busy period that runs
  struct Trace {
    traces::Sink& sink;
    traces::TrackId track;
    bool is_link;
    double gb_per_s;  ///< of one byte per cycle
    std::uint64_t sample_cycles;
    traces::NameId span_name, rate_name, bytes_name;
    double started = 0, sampled = 0;  ///< bytes of all flows, and those that had passed at `since`
    std::uint64_t since = 0;          ///< begin of the sample that is open
    std::uint64_t busy_until = 0;     ///< there was a flow up to then
    std::uint64_t last_rate = 0;
    bool open = false;
  };
  void sample(std::uint64_t now, bool is_last);
  std::optional<Trace> trace_;
};

}  // namespace npu::model
