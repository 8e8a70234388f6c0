// What every SystemC component is given: the clock, the listeners, and the place to park an error.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <systemc>
#include <utility>

#include "model/config/machine.hpp"
#include "model/observer.hpp"
#include "traces/sink.hpp"

namespace npu::model {

/// The core clock. All model state counts its cycles; only this class knows femtoseconds.
class Clock {
 public:
  /// `way_out` ends the message of time that is beyond the clock's range.
  explicit Clock(double mhz, std::string way_out = {})
      : period_fs_{static_cast<std::uint64_t>(1e9 / mhz + 0.5)},
        last_cycle_{~std::uint64_t{0} / period_fs_},
        way_out_{std::move(way_out)} {}
  [[nodiscard]] std::uint64_t now() const { return sc_core::sc_time_stamp().value() / period_fs_; }
  /// From now on. Throws ConfigError when that ends beyond the clock's range.
  [[nodiscard]] sc_core::sc_time duration(std::uint64_t cycles) const {
    const std::uint64_t t = now();
    if (cycles > last_cycle_ - t) [[unlikely]]
      refuse(static_cast<double>(t) + static_cast<double>(cycles));
    return sc_core::sc_time::from_value(cycles * period_fs_);
  }
  /// Notifies the event at an absolute cycle, not before now. Throws ConfigError when that is beyond the clock's range.
  void notify_at(sc_core::sc_event& event, std::uint64_t cycle) const {
    const std::uint64_t t = now();
    if (cycle > last_cycle_) [[unlikely]]
      refuse(static_cast<double>(cycle));
    event.notify(sc_core::sc_time::from_value(cycle > t ? (cycle - t) * period_fs_ : 0));
  }

 private:
  [[noreturn]] void refuse(double cycle) const;

  std::uint64_t period_fs_;   ///< the resolution is 1 fs (System sets it)
  std::uint64_t last_cycle_;  ///< of the range of SystemC's time
  std::string way_out_;
};

/// Keeps the first exception of a process: exceptions must not leave a SystemC process, System::run() rethrows it.
class FaultLatch {
 public:
  void park() {
    if (fault_) return;  // the simulation is stopping already; a second sc_stop is an error
    fault_ = std::current_exception();
    sc_core::sc_stop();
  }
  /// The body of a process that does not wait.
  template <class Body>
  void guard(Body&& body) {
    try {
      body();
    } catch (...) {
      park();
    }
  }
  /// The body of a process that waits. After an exception it waits for ever: a thread that ends switches stacks behind
  /// the address sanitizer's back (simulation.cpp).
  template <class Body>
  void guard_thread(Body&& body) {
    try {
      body();
    } catch (const sc_core::sc_unwind_exception&) {
      throw;
    } catch (...) {
      park();
    }
    const sc_core::sc_event never;
    for (;;) sc_core::wait(never);
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
  const Observers& observers;
  traces::Sink* sink;  ///< of the shares of memories and links; may be null
  FaultLatch& faults;
  const std::atomic<int>* stop_signal = nullptr;  ///< SystemOptions::stop_signal

  /// The signal that asks the run to end, 0 if none does. Whatever can keep the simulating thread busy for long without
  /// a step of simulated time asks, and returns early.
  [[nodiscard]] int stop_requested() const {
    return stop_signal == nullptr ? 0 : stop_signal->load(std::memory_order_relaxed);
  }
};

}  // namespace npu::model
