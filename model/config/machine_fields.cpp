#include "model/config/machine_fields.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

namespace npu::model {
namespace {

using isa::ArchSpec;
using isa::Bytes;
using isa::Space;

struct Access {
  double (*get)(const Machine&);
  void (*set)(Machine&, double);
};

template <auto Section, auto Member>
constexpr Access param() {
  return {[](const Machine& m) { return static_cast<double>(m.params.*Section.*Member); },
          [](Machine& m, double v) {
            auto& member = m.params.*Section.*Member;
            member = static_cast<std::remove_reference_t<decltype(member)>>(v);
          }};
}
template <auto Member>
constexpr Access arch() {
  return {[](const Machine& m) { return static_cast<double>(m.arch.*Member); },
          [](Machine& m, double v) { m.arch.*Member = static_cast<std::uint32_t>(v); }};
}

constexpr double kKib = 1024;
Bytes kib(double n) { return Bytes{static_cast<std::uint64_t>(n * kKib)}; }
double in_kib(Bytes b) { return static_cast<double>(b.count()) / kKib; }

template <Space S>
constexpr Access capacity() {
  return {[](const Machine& m) { return in_kib(m.arch.buffer(S).physical); },
          [](Machine& m, double v) {
            auto& buffer = m.arch.buffers[isa::index_of(S)];
            buffer.physical = buffer.capacity = kib(v);
          }};
}
template <Space S>
constexpr Access reserved() {
  return {[](const Machine& m) { return in_kib(isa::elapsed(m.arch.buffer(S).capacity, m.arch.buffer(S).physical)); },
          [](Machine& m, double v) {
            auto& buffer = m.arch.buffers[isa::index_of(S)];
            buffer.capacity = kib(std::max(0.0, in_kib(buffer.physical) - v));
          }};
}
template <Space S>
constexpr Access alignment() {
  return {[](const Machine& m) { return static_cast<double>(m.arch.buffer(S).alignment); },
          [](Machine& m, double v) { m.arch.buffers[isa::index_of(S)].alignment = static_cast<std::uint32_t>(v); }};
}

constexpr auto real(std::string_view key, std::string_view unit, double min, double max, std::string_view meaning,
                    Access a) {
  return MachineField{key, unit, Domain::Real, min, max, meaning, a.get, a.set};
}
constexpr auto whole(std::string_view key, std::string_view unit, double min, double max, std::string_view meaning,
                     Access a) {
  return MachineField{key, unit, Domain::Whole, min, max, meaning, a.get, a.set};
}
constexpr auto power(std::string_view key, std::string_view unit, double min, double max, std::string_view meaning,
                     Access a) {
  return MachineField{key, unit, Domain::PowerOfTwo, min, max, meaning, a.get, a.set};
}

using P = Params;
using C = CoreParams;
using V = VectorParams;
using M = MemoryParams;
using S = SchedulerParams;
constexpr double kMaxRate = 1e6;  // of a bandwidth: "as good as unlimited"

// clang-format off
constexpr std::array kFields{
  whole("chip.aic", "cores", 1, 64, "cube cores; each has two vector cores", arch<&ArchSpec::clusters>()),

  real("core.clock_mhz", "MHz", 100, 10'000, "clock of all cores", param<&P::clock, &ClockParams::core_mhz>()),
  whole("core.l1_kib", "KiB", 1, 65'536, "L1 of a cube core", capacity<Space::L1>()),
  whole("core.l0a_kib", "KiB", 1, 65'536, "left operand buffer of the cube", capacity<Space::L0A>()),
  whole("core.l0b_kib", "KiB", 1, 65'536, "right operand buffer of the cube", capacity<Space::L0B>()),
  whole("core.l0c_kib", "KiB", 1, 65'536, "accumulators of the cube", capacity<Space::L0C>()),
  whole("core.bt_kib", "KiB", 1, 1'024, "bias table", capacity<Space::BT>()),
  whole("core.ub_kib", "KiB", 1, 65'536, "UB of a vector core", capacity<Space::UB>()),
  whole("core.ub_reserved_kib", "KiB", 0, 64, "top of UB that programs must not use", reserved<Space::UB>()),
  power("core.l1_align_bytes", "bytes", 1, 1'024, "of a tile in L1", alignment<Space::L1>()),
  power("core.l0a_align_bytes", "bytes", 1, 1'024, "of a tile in L0A", alignment<Space::L0A>()),
  power("core.l0b_align_bytes", "bytes", 1, 1'024, "of a tile in L0B", alignment<Space::L0B>()),
  power("core.l0c_align_bytes", "bytes", 1, 1'024, "of a tile in L0C", alignment<Space::L0C>()),
  power("core.bt_align_bytes", "bytes", 1, 1'024, "of a tile in the bias table", alignment<Space::BT>()),
  power("core.ub_align_bytes", "bytes", 1, 1'024, "of a tile in UB", alignment<Space::UB>()),
  power("core.fractal_rows", "rows", 1, 64, "granule of the cube along m and n", arch<&ArchSpec::fractal_rows>()),
  power("core.fractal_bytes", "bytes", 8, 256, "of one fractal row along k", arch<&ArchSpec::fractal_bytes>()),
  whole("core.flags_per_pair", "flags", 1, isa::kMaxFlagsPerPair, "event ids of a pair of pipes", arch<&ArchSpec::flags_per_pair>()),
  whole("core.cross_flags", "flags", 1, isa::kMaxCrossFlags, "cross-core flags of a cluster", arch<&ArchSpec::cross_flags>()),
  whole("core.cross_flag_limit", "", 1, 255, "largest value of a cross-core counter", arch<&ArchSpec::cross_flag_limit>()),
  power("core.cache_line_bytes", "bytes", 8, isa::kMaxCacheLine, "line of the scalar data cache, no longer than the gap behind a tensor", arch<&ArchSpec::cache_line>()),

  whole("core.queue_depth", "instructions", 1, 4'096, "queue of a pipe; full, it stalls the scalar unit", param<&P::core, &C::queue_depth>()),
  whole("core.scalar_cycles", "cycles", 1, 100, "per scalar instruction", param<&P::core, &C::scalar_cycles>()),
  whole("core.scalar_tile_load_cycles", "cycles", 1, 1'000, "scalar load from UB", param<&P::core, &C::scalar_tile_load_cycles>()),
  whole("core.scalar_tile_store_cycles", "cycles", 1, 1'000, "scalar store to UB", param<&P::core, &C::scalar_tile_store_cycles>()),
  whole("core.cache_lines", "lines", 1, 65'536, "scalar data cache", param<&P::core, &C::cache_lines>()),
  real("core.dcci_ns", "ns", 0, 100'000, "clean and invalidate of one line", param<&P::core, &C::dcci_ns>()),
  real("core.code_fetch_ns", "ns", 0, 1e6, "before a core starts a program other than its last", param<&P::core, &C::code_fetch_ns>()),
  whole("core.flag_issue_cycles", "cycles", 0, 1'000, "issue of set_flag, wait_flag and barriers", param<&P::core, &C::flag_issue_cycles>()),
  whole("core.cross_flag_cycles", "cycles", 0, 100'000, "cross-core flag, one way", param<&P::core, &C::cross_flag_cycles>()),

  whole("core.mte2_issue_gap_cycles", "cycles", 0, 10'000, "per DMA instruction", param<&P::core, &C::mte2_issue_gap_cycles>()),
  whole("core.mte2_row_cycles", "cycles", 0, 10'000, "per row into L1 that is longer than the width of the port, and least per row into UB", param<&P::core, &C::mte2_row_cycles>()),
  real("core.mte2_l1_bytes_per_cycle", "B/cycle", 1, kMaxRate, "width into L1", param<&P::core, &C::mte2_l1_bytes_per_cycle>()),
  real("core.mte2_ub_bytes_per_cycle", "B/cycle", 1, kMaxRate, "width into UB", param<&P::core, &C::mte2_ub_bytes_per_cycle>()),
  power("core.mte2_request_bytes", "bytes", 32, 65'536, "most that a request moves; none crosses a multiple of it", param<&P::core, &C::mte2_request_bytes>()),
  whole("core.mte2_requests", "requests", 1, 65'536, "that the loads of a core may have under way", param<&P::core, &C::mte2_requests>()),
  whole("core.mte1_startup_cycles", "cycles", 0, 10'000, "per load from L1", param<&P::core, &C::mte1_startup_cycles>()),
  real("core.mte1_l0a_bytes_per_cycle", "B/cycle", 1, kMaxRate, "L1 to L0A", param<&P::core, &C::mte1_l0a_bytes_per_cycle>()),
  real("core.mte1_l0b_bytes_per_cycle", "B/cycle", 1, kMaxRate, "L1 to L0B", param<&P::core, &C::mte1_l0b_bytes_per_cycle>()),
  real("core.mte1_bt_bytes_per_cycle", "B/cycle", 1, kMaxRate, "L1 to bias table", param<&P::core, &C::mte1_bt_bytes_per_cycle>()),
  real("core.mte1_contention_factor", "x", 1, 100, "while MTE2 writes the same L1", param<&P::core, &C::mte1_contention_factor>()),
  whole("core.cube_overhead_cycles", "cycles", 0, 10'000, "occupancy per matrix product beyond its fractals", param<&P::core, &C::cube_overhead_cycles>()),
  whole("core.cube_result_cycles", "cycles", 0, 10'000, "from the end of the occupancy until the result is visible", param<&P::core, &C::cube_result_cycles>()),
  power("core.cube_k_f32", "elements", 1, 1'024, "k per cycle, fp32", param<&P::core, &C::cube_k_f32>()),
  power("core.cube_k_16bit", "elements", 1, 1'024, "k per cycle, fp16 and bf16", param<&P::core, &C::cube_k_16bit>()),
  power("core.cube_k_8bit", "elements", 1, 1'024, "k per cycle, int8", param<&P::core, &C::cube_k_8bit>()),
  whole("core.fix_startup_cycles", "cycles", 0, 10'000, "per store of accumulators", param<&P::core, &C::fix_startup_cycles>()),
  real("core.fix_l0c_bytes_per_cycle", "B/cycle", 1, kMaxRate, "read of accumulators", param<&P::core, &C::fix_l0c_bytes_per_cycle>()),
  real("core.fix_gm_bytes_per_cycle", "B/cycle", 1, kMaxRate, "output to global memory", param<&P::core, &C::fix_gm_bytes_per_cycle>()),
  real("core.fix_l1_bytes_per_cycle", "B/cycle", 1, kMaxRate, "output to L1", param<&P::core, &C::fix_l1_bytes_per_cycle>()),
  power("core.vec_repeat_bytes", "bytes", 32, 65'536, "data of one repeat", param<&P::core, &C::vec_repeat_bytes>()),
  power("core.ub_bank_bytes", "bytes", 1, 65'536, "row of a UB bank; rows rotate over the groups", param<&P::core, &C::ub_bank_bytes>()),
  power("core.ub_bank_groups", "groups", 1, 1'024, "UB bank groups", param<&P::core, &C::ub_bank_groups>()),
  power("core.ub_bank_rows", "rows", 1, 65'536, "of a UB bank", param<&P::core, &C::ub_bank_rows>()),
  real("core.mte3_bytes_per_cycle", "B/cycle", 1, kMaxRate, "UB to global memory", param<&P::core, &C::mte3_bytes_per_cycle>()),

  whole("vector.simple_fixed_cycles", "cycles", 0, 10'000, "per arithmetic instruction", param<&P::vector, &V::simple_fixed>()),
  whole("vector.special_fixed_cycles", "cycles", 0, 10'000, "per exp, ln, sqrt, division", param<&P::vector, &V::special_fixed>()),
  whole("vector.reduce_fixed_cycles", "cycles", 0, 10'000, "per row reduction", param<&P::vector, &V::reduce_fixed>()),
  whole("vector.group_reduce_fixed_cycles", "cycles", 0, 10'000, "per reduction of blocks of eight values", param<&P::vector, &V::group_fixed>()),
  whole("vector.result_cycles", "cycles", 0, 10'000, "from the end of a vector instruction until a dependent one behind a barrier", param<&P::vector, &V::result_cycles>()),
  real("vector.simple_slope", "cycles", 0, 10'000, "per repeat", param<&P::vector, &V::simple_slope>()),
  real("vector.special_slope", "cycles", 0, 10'000, "per repeat of 32-bit elements, exp, ln, sqrt, division", param<&P::vector, &V::special_slope>()),
  real("vector.special_slope_16bit", "cycles", 0, 10'000, "per repeat of 16-bit elements", param<&P::vector, &V::special_slope_16bit>()),
  real("vector.reduce_slope", "cycles", 0, 10'000, "per repeat of a row reduction", param<&P::vector, &V::reduce_slope>()),
  real("vector.transpose_slope", "cycles", 0, 10'000, "per repeat of a transposition", param<&P::vector, &V::transpose_slope>()),
  real("vector.gather_slope", "cycles", 0, 10'000, "per repeat of a gather by index", param<&P::vector, &V::gather_slope>()),
  real("vector.gather_mask_slope", "cycles", 0, 10'000, "per repeat of a gather by pattern", param<&P::vector, &V::gather_mask_slope>()),
  real("vector.sort_slope", "cycles", 0, 10'000, "per 32 elements sorted", param<&P::vector, &V::sort_slope>()),
  real("vector.merge_slope", "cycles", 0, 10'000, "per pair merged", param<&P::vector, &V::merge_slope>()),
  real("vector.read_conflict_factor", "x", 1, 100, "repeats in which the two sources share bank groups", param<&P::vector, &V::read_conflict_factor>()),
  real("vector.write_conflict_factor", "x", 1, 100, "repeats in which a source and the result share banks", param<&P::vector, &V::write_conflict_factor>()),
  real("memory.hbm_capacity_gib", "GiB", 0.001, 1'023, "HBM of a card", param<&P::memory, &M::hbm_capacity_gib>()),
  real("memory.hbm_read_gb_per_s", "GB/s", 0.001, kMaxRate, "achievable by long rows, shared by all cores", param<&P::memory, &M::hbm_read_gb_per_s>()),
  real("memory.hbm_write_gb_per_s", "GB/s", 0.001, kMaxRate, "write-backs, on the same bus as reads", param<&P::memory, &M::hbm_write_gb_per_s>()),
  real("memory.hbm_l1_request_bytes", "bytes", 0, 65'536, "bus time of a request into L1 beyond its bytes", param<&P::memory, &M::hbm_l1_request_bytes>()),
  real("memory.hbm_ub_request_bytes", "bytes", 0, 65'536, "bus time of a request of a strided transfer into UB beyond its bytes", param<&P::memory, &M::hbm_ub_request_bytes>()),
  real("memory.l2_mib", "MiB", 0.001, 65'536, "L2, shared by all cores of a card", param<&P::memory, &M::l2_mib>()),
  power("memory.l2_block_kib", "KiB", 1, 1'024, "unit of replacement, filled in 64 sectors", param<&P::memory, &M::l2_block_kib>()),
  real("memory.l2_dirty_mib", "MiB", 0, 65'536, "above it L2, when full, writes a dirty block back for each that it replaces", param<&P::memory, &M::l2_dirty_mib>()),
  real("memory.l2_read_gb_per_s", "GB/s", 0.001, kMaxRate, "shared by all cores", param<&P::memory, &M::l2_read_gb_per_s>()),
  real("memory.l2_write_gb_per_s", "GB/s", 0.001, kMaxRate, "shared by all cores", param<&P::memory, &M::l2_write_gb_per_s>()),
  whole("memory.read_hit_cycles", "cycles", 0, 100'000, "read latency, found in L2", param<&P::memory, &M::read_hit_cycles>()),
  whole("memory.read_miss_cycles", "cycles", 0, 100'000, "read latency, from HBM", param<&P::memory, &M::read_miss_cycles>()),
  whole("memory.write_cycles", "cycles", 0, 100'000, "write latency", param<&P::memory, &M::write_cycles>()),
  real("memory.same_address_cycles", "cycles", 0, 100'000, "from one answer to the next among requests for the same core.mte2_request_bytes", param<&P::memory, &M::same_address_cycles>()),

  real("link.gb_per_s", "GB/s", 0.001, kMaxRate, "per direction of a pair of cards", param<&P::link, &LinkParams::gb_per_s>()),
  real("link.latency_us", "us", 0, 1'000, "of a remote load, store or notify", param<&P::link, &LinkParams::latency_us>()),
  real("link.poll_ns", "ns", 1, 1e6, "period of TWAIT's poll of a local cell", param<&P::link, &LinkParams::poll_ns>()),

  whole("scheduler.threads", "threads", 1, 64, "that dispatch and complete tasks", param<&P::scheduler, &S::threads>()),
  real("scheduler.submit_us", "us", 0, 1e6, "orchestrator, per task", param<&P::scheduler, &S::submit_us>()),
  real("scheduler.dispatch_us", "us", 0, 1e6, "per task", param<&P::scheduler, &S::dispatch_us>()),
  real("scheduler.publish_ns", "ns", 0, 1e6, "per block and core", param<&P::scheduler, &S::publish_ns>()),
  real("scheduler.visible_ns", "ns", 0, 1e6, "from the dispatch register until the core sees it", param<&P::scheduler, &S::visible_ns>()),
  real("scheduler.finish_visible_ns", "ns", 0, 1e6, "from the condition register until a scheduler can see it", param<&P::scheduler, &S::finish_visible_ns>()),
  real("scheduler.poll_ns", "ns", 0, 1e6, "per completion picked up", param<&P::scheduler, &S::poll_ns>()),
  real("scheduler.resolve_us", "us", 0, 1e6, "per completed task", param<&P::scheduler, &S::resolve_us>()),
  real("scheduler.resolve_edge_us", "us", 0, 1e6, "per successor of a completed task", param<&P::scheduler, &S::resolve_edge_us>()),
  real("scheduler.task_setup_us", "us", 0, 1e6, "on the core, payload staged", param<&P::scheduler, &S::task_setup_us>()),
  real("scheduler.task_cold_us", "us", 0, 1e6, "on the core, its first task", param<&P::scheduler, &S::task_cold_us>()),
  real("scheduler.mixed_skew_ns", "ns", 0, 1e6, "vector parts start after the cube part", param<&P::scheduler, &S::mixed_skew_ns>()),

  real("host.run_us", "us", 0, 1e9, "fixed, per run", param<&P::host, &HostParams::run_us>()),
  real("host.submit_us", "us", 0, 1e9, "per card program", param<&P::host, &HostParams::submit_us>()),
  real("host.copy_gb_per_s", "GB/s", 0.001, kMaxRate, "host to device and back", param<&P::host, &HostParams::copy_gb_per_s>()),

  real("system.stall_limit_ms", "ms", 0.001, 1e6, "simulated time that counts as a hang when no instruction ends and nothing is under way", param<&P::system, &SystemParams::stall_limit_ms>()),
};

constexpr std::array kRules{
  MachineRule{"core.ub_reserved_kib", "must be below", "core.ub_kib", [](const Machine& m) { return m.arch.buffer(Space::UB).capacity.count() > 0; }},
  MachineRule{"core.cube_k_8bit", "must not be below", "core.cube_k_16bit", [](const Machine& m) { return m.params.core.cube_k_8bit >= m.params.core.cube_k_16bit; }},
  MachineRule{"core.cube_k_16bit", "must not be below", "core.cube_k_f32", [](const Machine& m) { return m.params.core.cube_k_16bit >= m.params.core.cube_k_f32; }},
  MachineRule{"memory.read_miss_cycles", "must not be below", "memory.read_hit_cycles", [](const Machine& m) { return m.params.memory.read_miss_cycles >= m.params.memory.read_hit_cycles; }},
  MachineRule{"memory.l2_mib", "must be a whole number of", "memory.l2_block_kib", [](const Machine& m) { return std::fmod(m.params.memory.l2_mib * kKib, m.params.memory.l2_block_kib) == 0; }},
  MachineRule{"memory.hbm_capacity_gib", "must not be below", "memory.l2_mib", [](const Machine& m) { return m.params.memory.hbm_capacity_gib * kKib >= m.params.memory.l2_mib; }},
  MachineRule{"scheduler.task_cold_us", "must not be below", "scheduler.task_setup_us", [](const Machine& m) { return m.params.scheduler.task_cold_us >= m.params.scheduler.task_setup_us; }},
};
// clang-format on

}  // namespace

std::span<const MachineField> machine_fields() { return kFields; }
std::span<const MachineRule> machine_rules() { return kRules; }

}  // namespace npu::model
