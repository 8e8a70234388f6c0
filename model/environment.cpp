#include "model/environment.hpp"

#include "isa/errors.hpp"

namespace npu::model {

void Clock::refuse(double cycle) const {
  constexpr double kFsPerSecond = 1e15;
  const auto seconds = [&](double cycles) { return cycles * static_cast<double>(period_fs_) / kFsPerSecond; };
  throw config_error(
      "something is due at cycle {:.0f}, {:.0f} s of simulated time; limit: {:.0f} s, the range of the clock{}", cycle,
      seconds(cycle), seconds(static_cast<double>(last_cycle_)), way_out_);
}

}  // namespace npu::model
