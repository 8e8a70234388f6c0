// The test machine with hand-over costs that are all different, so that an expected time names its parts.
#pragma once

#include "sim_tests/support/test_machine.hpp"

namespace npu::test {

/// 1 GHz, cycles: submit 10, dispatch 100, publish 1, visible 20, setup 7 (also for the first block of a core), skew of
/// vector parts 3, finish visible 30, poll 5, resolve 40 plus 2 per edge; host run 1000, submit 100 per card, copies 1
/// byte a cycle; stall limit 1 000 000.
[[nodiscard]] inline model::Machine scheduler_machine(std::uint32_t clusters = 2, std::uint32_t threads = 1) {
  model::Machine m = test_machine();
  m.arch.clusters = clusters;
  m.params.scheduler = {.threads = threads,
                        .submit_us = 0.010,
                        .dispatch_us = 0.100,
                        .publish_ns = 1,
                        .visible_ns = 20,
                        .finish_visible_ns = 30,
                        .poll_ns = 5,
                        .resolve_us = 0.040,
                        .resolve_edge_us = 0.002,
                        .task_setup_us = 0.007,
                        .task_cold_us = 0.007,
                        .mixed_skew_ns = 3};
  m.params.host = {.run_us = 1, .submit_us = 0.1, .copy_gb_per_s = 1};
  m.params.system = {.stall_limit_ms = 1};
  return m;
}

}  // namespace npu::test
