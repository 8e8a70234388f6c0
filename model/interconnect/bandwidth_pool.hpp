// A shared bandwidth (HBM, one side of L2, one direction of a link) in simulated time: one process, one event, woken
// only when flows join and when the next one ends. Law: FlowSet. Latency is not modelled here.
#pragma once

#include <cstdint>
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

  /// Records the pool's busy times as Transfer spans on a track of its own.
  void trace_to(traces::Sink& sink, const traces::TrackInfo& track);

  /// A flow from now on. Flows that start in the same cycle share from the same cycle, in whatever order they come.
  void start(std::uint32_t flow, double bytes, double cap);
  /// Cycles with at least one flow, up to now.
  [[nodiscard]] std::uint64_t busy_cycles() const;
  /// The run ends early: records the busy period that is open, up to now.
  void cut_off();

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
  traces::Sink* sink_ = nullptr;
  traces::TrackId track_{};
  traces::NameId span_name_{};
};

}  // namespace npu::model
