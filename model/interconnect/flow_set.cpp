#include "model/interconnect/flow_set.hpp"

#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"

namespace npu::model {
namespace {

// A flow this close to a cycle boundary ends there: what is left of it is rounding error.
constexpr double kCycleSlack = 1e-6;

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
  const auto cycles = static_cast<double>(now - now_);
  now_ = now;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < caps_.size(); ++i) {
    const double rate = std::min(caps_[i], fair_rate_);
    const double left = bytes_left_[i] - cycles * rate;
    if (left <= kCycleSlack * rate) {
      finished.push_back(ids_[i]);
      continue;
    }
    caps_[kept] = caps_[i];
    bytes_left_[kept] = left;
    ids_[kept] = ids_[i];
    ++kept;
  }
  caps_.resize(kept);
  bytes_left_.resize(kept);
  ids_.resize(kept);
}

void FlowSet::add(std::uint32_t id, double bytes, double cap) {
  NPU_ASSERT(bytes > 0 && cap > 0, "a flow without bytes or rate");
  const auto at = std::upper_bound(caps_.begin(), caps_.end(), cap) - caps_.begin();
  caps_.insert(caps_.begin() + at, cap);
  bytes_left_.insert(bytes_left_.begin() + at, bytes);
  ids_.insert(ids_.begin() + at, id);
}

std::uint64_t FlowSet::divide() {
  next_finish_ = kNever;
  if (caps_.empty()) return next_finish_;
  fair_rate_ = fair_rate(capacity_, caps_);
  double cycles = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < caps_.size(); ++i) {
    cycles = std::min(cycles, bytes_left_[i] / std::min(caps_[i], fair_rate_));
  }
  next_finish_ = now_ + std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(cycles - kCycleSlack)));
  return next_finish_;
}

}  // namespace npu::model
