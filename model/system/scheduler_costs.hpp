// What the card's runtime costs, in core cycles [machine.md sections 7 and 9.1].
#pragma once

#include <cstdint>

#include "model/config/machine.hpp"

namespace npu::model {

struct SchedulerCosts {
  std::uint32_t threads;
  std::uint64_t dispatch, publish, visible;
  std::uint64_t setup, cold;
  std::uint64_t finish_visible, poll, resolve, resolve_edge;
  std::uint64_t mixed_skew;
};

/// An ideal scheduler hands over at no cost, on its threads and on the cores; the skew between the parts of a mixed
/// block is a property of the cluster and stays.
[[nodiscard]] inline SchedulerCosts scheduler_costs(const Params& params, bool ideal) {
  const SchedulerParams& p = params.scheduler;
  const auto cycles = [&](double ns) { return ideal ? 0 : cycles_of_ns(params, ns); };
  return {.threads = p.threads,
          .dispatch = cycles(1e3 * p.dispatch_us),
          .publish = cycles(p.publish_ns),
          .visible = cycles(p.visible_ns),
          .setup = cycles(1e3 * p.task_setup_us),
          .cold = cycles(1e3 * p.task_cold_us),
          .finish_visible = cycles(p.finish_visible_ns),
          .poll = cycles(p.poll_ns),
          .resolve = cycles(1e3 * p.resolve_us),
          .resolve_edge = cycles(1e3 * p.resolve_edge_us),
          .mixed_skew = cycles_of_ns(params, p.mixed_skew_ns)};
}

}  // namespace npu::model
