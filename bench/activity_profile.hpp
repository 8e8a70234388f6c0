// Where processor time goes: samples the model's activity marker every millisecond of processor time.
#pragma once

#include <array>
#include <cstdint>

#include "model/activity.hpp"

namespace npu::bench {

/// One at a time in a process, since the timer is the process's.
class ActivityProfile {
 public:
  ActivityProfile();
  ~ActivityProfile();
  ActivityProfile(const ActivityProfile&) = delete;
  ActivityProfile& operator=(const ActivityProfile&) = delete;

  [[nodiscard]] model::ActivityMarker* marker() { return &marker_; }
  void start();
  void stop();
  /// Samples by activity.
  [[nodiscard]] std::array<std::uint64_t, model::kActivityNames.size()> samples() const;

 private:
  static void sample(int signal);
  model::ActivityMarker marker_{model::Activity::Events};
  std::array<std::atomic<std::uint64_t>, model::kActivityNames.size()> samples_{};
};

}  // namespace npu::bench
