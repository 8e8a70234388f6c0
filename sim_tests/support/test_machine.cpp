#include "sim_tests/support/test_machine.hpp"

namespace npu::test {

model::Params test_params() {
  return {.clock = {.core_mhz = 1000},
          .core = {.queue_depth = 4,
                   .scalar_cycles = 1,
                   .scalar_tile_load_cycles = 6,
                   .scalar_tile_store_cycles = 4,
                   .cache_lines = 4,
                   .dcci_ns = 20,
                   .code_fetch_ns = 0,
                   .flag_issue_cycles = 1,
                   .cross_flag_cycles = 50,
                   .mte2_issue_gap_cycles = 10,
                   .mte2_row_cycles = 2,
                   .mte2_l1_bytes_per_cycle = 64,
                   .mte2_ub_bytes_per_cycle = 64,
                   .mte2_request_bytes = 512,
                   .mte2_requests = 1000,  // more than any test has under way
                   .mte1_startup_cycles = 20,
                   .mte1_l0a_bytes_per_cycle = 256,
                   .mte1_l0b_bytes_per_cycle = 128,
                   .mte1_bt_bytes_per_cycle = 32,
                   .mte1_contention_factor = 1.25,
                   .cube_overhead_cycles = 10,
                   .cube_result_cycles = 50,
                   .cube_k_f32 = 4,
                   .cube_k_16bit = 16,
                   .cube_k_8bit = 32,
                   .fix_startup_cycles = 30,
                   .fix_l0c_bytes_per_cycle = 128,
                   .fix_gm_bytes_per_cycle = 64,
                   .fix_l1_bytes_per_cycle = 128,
                   .vec_repeat_bytes = 256,
                   .ub_bank_bytes = 32,
                   .ub_bank_groups = 16,
                   .ub_bank_rows = 128,
                   .mte3_bytes_per_cycle = 64},
          .vector = {.simple_fixed = 20,
                     .special_fixed = 30,
                     .reduce_fixed = 40,
                     .group_fixed = 35,
                     .result_cycles = 10,
                     .simple_slope = 1,
                     .special_slope = 2,
                     .special_slope_16bit = 4,
                     .reduce_slope = 7,
                     .transpose_slope = 1,
                     .gather_slope = 12,
                     .gather_mask_slope = 2,
                     .sort_slope = 16,
                     .merge_slope = 0.5,
                     .read_conflict_factor = 2,
                     .write_conflict_factor = 1.5},
          .memory = {.hbm_capacity_gib = 1.0 / 64,  // 16 MiB
                     .hbm_read_gb_per_s = 64,
                     .hbm_write_gb_per_s = 32,
                     .hbm_l1_request_bytes = 0,
                     .hbm_ub_request_bytes = 0,
                     .l2_mib = 1.0 / 16,  // 8 blocks
                     .l2_block_kib = 8,
                     .l2_dirty_mib = 1.0 / 16,  // as much as L2 holds
                     .l2_read_gb_per_s = 256,
                     .l2_write_gb_per_s = 128,
                     .read_hit_cycles = 100,
                     .read_miss_cycles = 200,
                     .write_cycles = 50,
                     .same_address_cycles = 0},
          .link = {.gb_per_s = 16, .latency_us = 1, .poll_ns = 100},
          .scheduler = {.threads = 2,
                        .submit_us = 1,
                        .dispatch_us = 1,
                        .publish_ns = 10,
                        .visible_ns = 100,
                        .finish_visible_ns = 200,
                        .poll_ns = 50,
                        .resolve_us = 0.5,
                        .resolve_edge_us = 0.1,
                        .task_setup_us = 0.2,
                        .task_cold_us = 1,
                        .mixed_skew_ns = 20},
          .host = {.run_us = 10, .submit_us = 5, .copy_gb_per_s = 10},
          .system = {.stall_limit_ms = 1}};
}

model::Machine test_machine() {
  model::Machine machine{.arch = isa::a2a3_arch_spec(), .params = test_params(), .figures = {}, .about = {}};
  machine.arch.name = "test";
  machine.arch.clusters = 2;
  return machine;
}

}  // namespace npu::test
