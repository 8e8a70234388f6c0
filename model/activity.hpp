// What the simulating thread is doing, for a profiler that samples it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace npu::model {

/// Events: the event kernel, memory, scheduler, host. Pipes: queues and flags of the cores. Copies: bytes that movers
/// move. Arithmetic: cube and vector instructions.
enum class Activity : std::uint8_t { Events, Pipes, Scalar, Copies, Arithmetic };
inline constexpr std::array<std::string_view, 5> kActivityNames{"events", "pipes", "scalar", "copies", "arithmetic"};

using ActivityMarker = std::atomic<Activity>;

/// Marks its lifetime; nothing where there is no marker.
class ActivityScope {
 public:
  ActivityScope(ActivityMarker* marker, Activity activity) : marker_{marker} {
    if (marker_ == nullptr) return;
    before_ = marker_->load(std::memory_order_relaxed);
    marker_->store(activity, std::memory_order_relaxed);
  }
  ~ActivityScope() {
    if (marker_ != nullptr) marker_->store(before_, std::memory_order_relaxed);
  }
  ActivityScope(const ActivityScope&) = delete;
  ActivityScope& operator=(const ActivityScope&) = delete;

 private:
  ActivityMarker* marker_;
  Activity before_ = Activity::Events;
};

}  // namespace npu::model
