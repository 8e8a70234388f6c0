// What every SystemC component is given: the clock, the trace sink, and the place to park an error.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <systemc>

#include "model/config/machine.hpp"
#include "traces/sink.hpp"

namespace npu::model {

/// The core clock. All model state counts its cycles; only this class knows femtoseconds.
class Clock {
 public:
  explicit Clock(double mhz) : period_fs_{static_cast<std::uint64_t>(1e9 / mhz + 0.5)} {}
  [[nodiscard]] std::uint64_t now() const { return sc_core::sc_time_stamp().value() / period_fs_; }
  [[nodiscard]] sc_core::sc_time duration(std::uint64_t cycles) const {
    return sc_core::sc_time::from_value(cycles * period_fs_);
  }
  /// Notifies the event at an absolute cycle, not before now.
  void notify_at(sc_core::sc_event& event, std::uint64_t cycle) const {
    const std::uint64_t t = now();
    event.notify(duration(cycle > t ? cycle - t : 0));
  }

 private:
  std::uint64_t period_fs_;  ///< the resolution is 1 fs (System sets it)
};

/// Keeps the first exception of a process: exceptions must not leave a SystemC process, System::run() rethrows it.
class FaultLatch {
 public:
  void park() {
    if (fault_) return;  // the simulation is stopping already; a second sc_stop is an error
    fault_ = std::current_exception();
    sc_core::sc_stop();
  }
  void rethrow() const {
    if (fault_) std::rethrow_exception(fault_);
  }
  [[nodiscard]] bool raised() const { return static_cast<bool>(fault_); }

 private:
  std::exception_ptr fault_;
};

struct Environment {
  const Machine& machine;
  const Clock& clock;
  traces::Sink* sink;  ///< may be null
  FaultLatch& faults;
  const std::atomic<int>* stop_signal = nullptr;  ///< SystemOptions::stop_signal

  /// The signal that asks the run to end, 0 if none does. Whatever can keep the simulating thread busy for long without
  /// a step of simulated time asks, and returns early.
  [[nodiscard]] int stop_requested() const {
    return stop_signal == nullptr ? 0 : stop_signal->load(std::memory_order_relaxed);
  }
};

}  // namespace npu::model
