// The machine file as structs: ArchSpec (what software may know) and Params (what only hardware knows).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isa/arch_spec.hpp"

namespace npu::model {

struct ClockParams {
  double core_mhz;
  bool operator==(const ClockParams&) const = default;
};

/// Costs in core cycles; bandwidths in bytes per core cycle of one core's port.
struct CoreParams {
  std::uint32_t queue_depth;
  // scalar unit
  std::uint32_t scalar_cycles, scalar_tile_load_cycles, scalar_tile_store_cycles;
  std::uint32_t cache_lines;  ///< of the scalar data cache
  double dcci_ns;             ///< per line
  double code_fetch_ns;       ///< before a core starts a program other than its last
  std::uint32_t flag_issue_cycles;
  std::uint32_t cross_flag_cycles;  ///< one way
  // MTE2
  std::uint32_t mte2_issue_gap_cycles, mte2_row_cycles;
  double mte2_l1_bytes_per_cycle, mte2_ub_bytes_per_cycle;
  std::uint32_t mte2_request_bytes;  ///< most that a request moves; none crosses a multiple of it
  std::uint32_t mte2_requests;       ///< that a core may have under way
  // MTE1
  std::uint32_t mte1_startup_cycles;
  double mte1_l0a_bytes_per_cycle, mte1_l0b_bytes_per_cycle, mte1_bt_bytes_per_cycle, mte1_contention_factor;
  // cube
  std::uint32_t cube_overhead_cycles, cube_result_cycles;
  std::uint32_t cube_k_f32, cube_k_16bit, cube_k_8bit;  ///< k per cycle; m and n are the fractal's 16
  // FIX
  std::uint32_t fix_startup_cycles;
  double fix_l0c_bytes_per_cycle, fix_gm_bytes_per_cycle, fix_l1_bytes_per_cycle;
  // vector unit: memory
  std::uint32_t vec_repeat_bytes;                             ///< bytes of one repeat
  std::uint32_t ub_bank_bytes, ub_bank_groups, ub_bank_rows;  ///< a bank has so many rows
  // MTE3
  double mte3_bytes_per_cycle;
  bool operator==(const CoreParams&) const = default;
};

/// Vector instructions: fixed + slope x repeats, in core cycles.
struct VectorParams {
  std::uint32_t simple_fixed, special_fixed, reduce_fixed;  ///< special: exp, ln, sqrt, division
  std::uint32_t group_fixed;                                ///< of a reduction of each block of eight values
  std::uint32_t result_cycles;  ///< result visible after the occupancy; a dependent instruction needs a barrier
  double simple_slope, special_slope, special_slope_16bit, reduce_slope, transpose_slope, gather_slope,
      gather_mask_slope;
  double sort_slope;             ///< per 32 elements
  double merge_slope;            ///< per (value, index) pair
  double read_conflict_factor;   ///< both sources read the same bank groups in a repeat
  double write_conflict_factor;  ///< a source and the result share banks in a repeat
  bool operator==(const VectorParams&) const = default;
};

struct MemoryParams {
  double hbm_capacity_gib;
  [[nodiscard]] isa::Bytes hbm_capacity() const {
    return isa::Bytes{static_cast<std::uint64_t>(hbm_capacity_gib * (std::uint64_t{1} << 30U))};
  }
  /// Achievable, shared by all cores. Reads and write-backs share one bus: a byte written takes as much of it as
  /// hbm_read / hbm_write bytes read.
  double hbm_read_gb_per_s, hbm_write_gb_per_s;
  /// Bus time of a request of a transfer by rows beyond its bytes, as bytes: into L1 and into UB.
  double hbm_l1_request_bytes, hbm_ub_request_bytes;
  double l2_mib, l2_block_kib;  ///< a block is the unit of replacement; it has 64 sectors that are filled separately
  double l2_dirty_mib;          ///< above it L2, when full, writes a dirty block back for each that it replaces
  double l2_read_gb_per_s, l2_write_gb_per_s;
  std::uint32_t read_hit_cycles, read_miss_cycles, write_cycles;
  double same_address_cycles;  ///< from one answer to the next among requests for the same mte2_request_bytes
  bool operator==(const MemoryParams&) const = default;
};

struct LinkParams {
  double gb_per_s;    ///< per direction and card pair
  double latency_us;  ///< one way, of a remote load, store or notify
  double poll_ns;     ///< period of TWAIT's poll of a local cell
  bool operator==(const LinkParams&) const = default;
};

struct SchedulerParams {
  std::uint32_t threads;
  double submit_us;                    ///< orchestrator, per task
  double dispatch_us;                  ///< scheduler thread, per task: build payload
  double publish_ns;                   ///< scheduler thread, per block and core
  double visible_ns;                   ///< dispatch register write until the core sees it
  double finish_visible_ns;            ///< condition register write until the scheduler can see it
  double poll_ns;                      ///< scheduler thread, per completion it picks up
  double resolve_us, resolve_edge_us;  ///< scheduler thread, per completed task, and per successor
  double task_setup_us;                ///< on the core, payload staged: invalidate and acknowledge
  double task_cold_us;                 ///< first task of a core
  double mixed_skew_ns;                ///< start of the vector parts after the cube part
  bool operator==(const SchedulerParams&) const = default;
};

struct HostParams {
  double run_us;         ///< fixed, per run
  double submit_us;      ///< per card program
  double copy_gb_per_s;  ///< host to device and back
  bool operator==(const HostParams&) const = default;
};

struct SystemParams {
  double stall_limit_ms;  ///< simulated time that counts as a hang when no instruction ends and nothing is under way
  bool operator==(const SystemParams&) const = default;
};

struct Params {
  ClockParams clock;
  CoreParams core;
  VectorParams vector;
  MemoryParams memory;
  LinkParams link;
  SchedulerParams scheduler;
  HostParams host;
  SystemParams system;
  bool operator==(const Params&) const = default;
};

/// One figure of the effective machine, for `config show` and run directories.
struct Figure {
  std::string key;     ///< "memory.hbm_read_gb_per_s"
  std::string value;   ///< as written
  std::string source;  ///< where it comes from
  bool overridden = false;
  std::string confidence;  ///< measured, vendor, model, guess; "set" for an override; empty when the file does not say
  std::string unit;        ///< "MHz"
  std::string meaning;     ///< one clause
  bool operator==(const Figure&) const = default;
};

struct Machine {
  isa::ArchSpec arch;
  Params params;
  std::vector<Figure> figures;  ///< every key once, section by section
  std::string about;            ///< one line, for lists
  bool operator==(const Machine&) const = default;
};

/// Loads a machine file. `platform` is a shipped name (a2a3, alias a2a3sim) or a path to a .toml file; a file with a
/// key `base` states only what differs from that shipped machine. `overrides` are "section.key=value". Throws
/// ConfigError: unknown platform, unreadable file, unknown key (with the nearest name), missing key, wrong type, value
/// out of range, each with file, key and limit.
[[nodiscard]] Machine load_machine(std::string_view platform, const std::vector<std::string>& overrides);

/// Names that load_machine knows.
[[nodiscard]] std::vector<std::string> shipped_platforms();

/// A complete machine file: fed back to load_machine it gives an equal Machine.
[[nodiscard]] std::string effective_toml(const Machine& machine);

/// Cycles of a time at the machine's clock, rounded up.
[[nodiscard]] std::uint64_t cycles_of_ns(const Params& params, double ns);
/// Microseconds of a number of core cycles.
[[nodiscard]] double us_of_cycles(const Params& params, std::uint64_t cycles);

/// Bytes per core cycle of a bandwidth in decimal GB/s.
[[nodiscard]] double bytes_per_cycle(const Params& params, double gb_per_s);

}  // namespace npu::model
