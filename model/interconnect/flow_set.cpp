#include "model/interconnect/flow_set.hpp"

#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"

namespace npu::model {
namespace {

// A flow this close to a cycle boundary ends there: what is left of it is rounding error.
constexpr double kCycleSlack = 1e-6;
// Longer than any clock runs.
constexpr double kManyCycles = 1e18;

}  // namespace

double fair_rate(double capacity, std::span<const double> ascending_caps) {
  double left = capacity;
  auto flows = static_cast<double>(ascending_caps.size());
  for (const double cap : ascending_caps) {
    if (cap * flows > left) return left / flows;
    left -= cap;
    flows -= 1;
  }
  return std::numeric_limits<double>::infinity();
}

void FlowSet::advance(std::uint64_t now, std::vector<std::uint32_t>& finished) {
  if (now == now_) return;
  const auto cycles = static_cast<double>(now - now_);
  now_ = now;
  for (std::size_t i = 0; i < capped_; ++i) bytes_left_[i] -= cycles * caps_[i];
  const double share = cycles * fair_rate_;
  for (std::size_t i = capped_; i < bytes_left_.size(); ++i) bytes_left_[i] -= share;
  if (now >= next_finish_) remove_finished(finished);
}

void FlowSet::remove_finished(std::vector<std::uint32_t>& finished) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < caps_.size(); ++i) {
    if (bytes_left_[i] <= kCycleSlack * std::min(caps_[i], fair_rate_)) {
      finished.push_back(ids_[i]);
      continue;
    }
    caps_[kept] = caps_[i];
    cycles_per_byte_[kept] = cycles_per_byte_[i];
    bytes_left_[kept] = bytes_left_[i];
    ids_[kept] = ids_[i];
    ++kept;
  }
  caps_.resize(kept);
  cycles_per_byte_.resize(kept);
  bytes_left_.resize(kept);
  ids_.resize(kept);
}

void FlowSet::add(std::uint32_t id, double bytes, double cap) {
  NPU_ASSERT(bytes > 0 && cap > 0, "a flow without bytes or rate");
  const auto at = std::upper_bound(caps_.begin(), caps_.end(), cap) - caps_.begin();
  caps_.insert(caps_.begin() + at, cap);
  cycles_per_byte_.insert(cycles_per_byte_.begin() + at, 1 / cap);
  bytes_left_.insert(bytes_left_.begin() + at, bytes);
  ids_.insert(ids_.begin() + at, id);
}

std::uint64_t FlowSet::divide() {
  next_finish_ = kNever;
  if (caps_.empty()) return next_finish_;
  fair_rate_ = fair_rate(capacity_, caps_);
  capped_ = static_cast<std::size_t>(std::upper_bound(caps_.begin(), caps_.end(), fair_rate_) - caps_.begin());
  double cycles = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < capped_; ++i) cycles = std::min(cycles, bytes_left_[i] * cycles_per_byte_[i]);
  if (capped_ < caps_.size()) {
    // All of these go at the same rate: the one with the fewest bytes left ends first.
    double fewest = std::numeric_limits<double>::infinity();
    for (std::size_t i = capped_; i < caps_.size(); ++i) fewest = std::min(fewest, bytes_left_[i]);
    cycles = std::min(cycles, fewest / fair_rate_);
  }
  next_finish_ = now_ + std::max<std::uint64_t>(
                            1, static_cast<std::uint64_t>(std::ceil(std::min(cycles, kManyCycles) - kCycleSlack)));
  return next_finish_;
}

}  // namespace npu::model
