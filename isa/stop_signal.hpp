// The request that this process ends early, seen by everything that runs long.
#pragma once

#include <atomic>

#include "isa/errors.hpp"

namespace npu {

/// The signal that asked the process to end; 0 while none did. A signal is the process's own, so there is one of these;
/// handlers write it (orchestration/cli/signals.cpp, orchestration/data/mapped_file.cpp).
inline std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "handlers may write it");

/// Throws Interrupted once a signal has asked the process to end.
inline void throw_if_stopped() {
  if (const int number = stop_signal.load(std::memory_order_relaxed); number != 0) {
    throw Interrupted{number, fmt::format("ended by signal {}", number)};
  }
}

}  // namespace npu
