// One shared resource and the flows that use it now: who gets which share, and who is through next.
// Modelled: max-min fair division, each flow capped. Not modelled: arbitration order, bursts, queueing below a cycle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace npu::model {

/// Rate up to which every flow may go: the flows get min(cap, rate), which is the max-min fair division of the
/// capacity. Infinite when all caps fit. Requires caps in ascending order, all above zero. O(flows), one division.
[[nodiscard]] double fair_rate(double capacity, std::span<const double> ascending_caps);

class FlowSet {
 public:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  explicit FlowSet(double bytes_per_cycle) : capacity_{bytes_per_cycle} {}

  /// Moves all flows on to cycle `now` and appends the ids of those that are through to `finished`, in no particular
  /// order. Requires now <= next_finish(): a flow ends at a whole cycle and keeps its share until then.
  void advance(std::uint64_t now, std::vector<std::uint32_t>& finished);
  /// A flow of `bytes` that goes at most `cap` bytes per cycle, from the last advance on.
  void add(std::uint32_t id, double bytes, double cap);
  /// Divides the capacity anew; after the advance and add calls of a cycle. Returns next_finish().
  std::uint64_t divide();

  [[nodiscard]] std::uint64_t next_finish() const { return next_finish_; }
  /// Of all flows, at the last advance. O(flows).
  [[nodiscard]] double bytes_left() const { return std::accumulate(bytes_left_.begin(), bytes_left_.end(), 0.0); }
  [[nodiscard]] bool empty() const { return caps_.empty(); }

 private:
  void remove_finished(std::vector<std::uint32_t>& finished);

  double capacity_;
  double fair_rate_ = std::numeric_limits<double>::infinity();
  std::uint64_t now_ = 0, next_finish_ = kNever;
  // One entry per flow, ascending caps. The first capped_ flows go at their cap, the others at fair_rate_.
  std::vector<double> caps_, cycles_per_byte_, bytes_left_;  // the second is 1 / cap
  std::vector<std::uint32_t> ids_;
  std::size_t capped_ = 0;
};

}  // namespace npu::model
