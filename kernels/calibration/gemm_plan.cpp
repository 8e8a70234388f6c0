#include "kernels/calibration/gemm_plan.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "isa/units.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

std::uint32_t ceiling(std::uint32_t a, std::uint32_t b) { return static_cast<std::uint32_t>(ceil_div(a, b)); }

std::uint64_t bytes_of(const ArchSpec& arch, Space space) { return arch.buffer(space).capacity.count(); }

void refuse_unmodelled(const char* kernel, const GemmPlan& p) {
  const auto refuse = [&](bool given, std::string_view flag, std::string_view what) {
    if (given) throw config_error("{}: not modelled: {} ({}); leave the flag out", kernel, flag, what);
  };
  refuse(p.unit_flag, "--unit-flag", "no instruction starts a store before its product is complete");
  refuse(p.prefetch_b, "--prefetch-b", "no instruction brings data into L2 alone");
  refuse(p.b_layout == GemmPlan::BLayout::NZ, "--b-layout nz", "views of memory are nd or dn");
}

void choose_cores(const char* kernel, GemmPlan& p, const ArchSpec& arch) {
  if (p.grid.count() == 0) {
    p.cores = cores_of(kernel, p.cores, arch.clusters, "cube");
    return;
  }
  if (p.cores != 0 && p.cores != p.grid.count()) {
    throw config_error("{}: --grid {}x{} is {} cores, --cores says {}; leave --cores out", kernel, p.grid.rows,
                       p.grid.cols, p.grid.count(), p.cores);
  }
  if (p.split_k > 1) {
    throw config_error("{}: --split-k divides blocks that go round the cores; leave --grid {}x{} out", kernel,
                       p.grid.rows, p.grid.cols);
  }
  const std::uint64_t cores = p.grid.count();
  if (cores > arch.clusters) {
    throw config_error("{}: --grid {}x{} is {} cores, a card has {} (chip.clusters); choose a smaller grid", kernel,
                       p.grid.rows, p.grid.cols, cores, arch.clusters);
  }
  p.cores = static_cast<std::uint32_t>(cores);
}

/// The block of C with the least work of the busiest core, loads included. Only its proportions matter, so the one
/// figure is a rule of thumb: what a core's share of L2 delivers in the time of a cube cycle.
void choose_block(GemmPlan& p, const ArchSpec& arch) {
  constexpr double kBytesPerCycle = 80;
  constexpr std::uint32_t kMaxRows = 256, kMaxColumns = 256;
  const std::uint32_t granule = arch.fractal_rows, size = size_of(p.dtype);
  const auto up = [&](std::uint32_t extent) { return static_cast<std::uint32_t>(round_up(extent, granule)); };
  double best = 0;
  for (std::uint32_t m = granule; m <= std::min(kMaxRows, up(p.m)); m += granule) {
    for (std::uint32_t n = granule; n <= std::min(kMaxColumns, up(p.n)); n += granule) {
      if (std::uint64_t{m} * n * 4 > bytes_of(arch, Space::L0C)) continue;
      const std::uint64_t blocks = std::uint64_t{p.groups} * ceiling(p.m, m) * ceiling(p.n, n) * p.split_k;
      const auto rounds = static_cast<double>(ceil_div(blocks, p.cores));
      const double fractals = static_cast<double>(m) / granule * n / granule / (arch.fractal_bytes / size);
      const double loads = static_cast<double>(m + n) * size / kBytesPerCycle;
      const double work = rounds * std::max(fractals, loads);
      const bool larger = std::uint64_t{m} * n > std::uint64_t{p.base.m} * p.base.n;
      if (p.base.m != 0 && (work > best || (work == best && !larger))) continue;
      best = work;
      p.base.m = m;
      p.base.n = n;
    }
  }
  if (2ULL * p.base.m * p.base.n * 4 <= bytes_of(arch, Space::L0C)) p.acc_buffers = 2;
}

/// As much of k as a slot of L0A and L0B holds; the two share the distance of their slots, the longer one's.
std::uint32_t most_k(const GemmPlan& p, const ArchSpec& arch) {
  const std::uint32_t size = size_of(p.dtype), granule = arch.fractal_bytes / size;
  const std::uint64_t others = std::uint64_t{p.l0_buffers - 1} * std::max(p.base.m, p.base.n);
  const std::uint64_t k = std::min(bytes_of(arch, Space::L0A) / ((others + p.base.m) * size),
                                   bytes_of(arch, Space::L0B) / ((others + p.base.n) * size));
  const std::uint64_t limit = std::min<std::uint64_t>({k, kMaxMatmulExtent, round_up(p.part_k(), granule)});
  return std::max(granule, static_cast<std::uint32_t>(limit / granule * granule));
}

/// Loads whose lines in memory are at most 1 KiB and that fit L1 in every buffer.
std::uint32_t most_steps(const GemmPlan& p, const ArchSpec& arch) {
  constexpr std::uint32_t kLineBytes = 1024;
  const std::uint32_t size = size_of(p.dtype);
  const std::uint64_t per_k = std::uint64_t{p.l1_buffers} * (p.base.m + p.base.n) * size;
  const std::uint64_t k = std::min<std::uint64_t>(bytes_of(arch, Space::L1) / per_k, kLineBytes / size);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(k / p.base.k, 1, ceiling(p.part_k(), p.base.k)));
}

void check_base(const char* kernel, const GemmPlan& p, const ArchSpec& arch) {
  const std::uint32_t granule = arch.fractal_bytes / size_of(p.dtype);
  if (p.base.m % arch.fractal_rows != 0 || p.base.n % arch.fractal_rows != 0 || p.base.k % granule != 0) {
    throw config_error("{}: --base {}x{}x{}: m and n are multiples of {}, k of {} (whole fractals of {}); round them",
                       kernel, p.base.m, p.base.n, p.base.k, arch.fractal_rows, granule, name_of(p.dtype));
  }
}

void check_split(const char* kernel, const GemmPlan& p, const ArchSpec& arch) {
  if (p.split_k == 1) return;
  const std::uint32_t granule = arch.fractal_bytes / size_of(p.dtype);
  if (p.k % p.split_k != 0 || p.part_k() % granule != 0) {
    throw config_error("{}: --split-k {} does not divide --k {} into whole fractals of {} {}; choose another divisor",
                       kernel, p.split_k, p.k, granule, name_of(p.dtype));
  }
  if (size_of(p.out) != 4) {
    throw config_error("{}: --split-k adds parts in memory, in full precision; say --out-dtype {}", kernel,
                       p.dtype == DType::I8 ? "i32" : "f32");
  }
}

void check_types(const char* kernel, const GemmPlan& p) {
  const bool integers = p.dtype == DType::I8;
  if (integers == (p.out == DType::I32)) return;
  throw config_error("{}: --dtype {} accumulates in {}, which no store turns into --out-dtype {}; choose {}", kernel,
                     name_of(p.dtype), integers ? "i32" : "f32", name_of(p.out), integers ? "i32" : "f16, bf16 or f32");
}

/// Rows of blocks that a panel of the swizzled order has.
constexpr std::uint32_t kPanelRows = 3;

/// Rows or columns of one core of a grid: [first, first + extent) of what the core shares with others, cut at `end`.
/// body(place, n) for every block; n is a constant where no block is cut.
template <class Body>
void for_each_step(PartBuilder& part, const std::function<Reg()>& first, std::uint32_t extent, std::uint32_t base,
                   const std::optional<std::function<Reg()>>& end, const Body& body) {
  part.for_range(0, extent, base, [&](const Reg& step) {
    Reg place = first();
    place += step;
    if (!end) return body(place, Value{base});
    Reg n = (*end)();
    n.set(min(n - place, base));
    n.set(min(part.imm(extent) - step, n));
    part.if_(n > 0, [&] { body(place, Value{n}); });
  });
}

/// Rectangles of C: core (r, c) has rows r and columns c of each panel.
void for_each_in_grid(PartBuilder& part, const GemmPlan& p, const std::function<void(const GemmBlock&)>& body) {
  const std::uint32_t panels = p.order == GemmPlan::BlockOrder::Swizzle ? 2 : 1;
  const std::uint32_t panel_m = ceiling(p.m, panels), core_m = ceiling(panel_m, p.grid.rows);
  const std::uint32_t core_n = ceiling(p.n, p.grid.cols);
  const bool whole_m = p.m % (panels * p.grid.rows * p.base.m) == 0, whole_n = p.n % (p.grid.cols * p.base.n) == 0;
  using Place = std::function<Reg()>;
  const auto in_panel = [&](const Value& group, const Reg* begin) {
    const Place first_row = [&] {
      Reg row = part.block_index() % p.grid.rows * core_m;
      if (begin != nullptr) row += *begin;
      return row;
    };
    const Place last_row = [&] { return begin != nullptr ? min(*begin + panel_m, p.m) : part.imm(p.m); };
    const Place first_col = [&] { return part.block_index() / p.grid.rows * core_n; };
    const Place last_col = [&] { return part.imm(p.n); };
    const auto cut = [](bool whole, const Place& end) { return whole ? std::optional<Place>{} : std::optional{end}; };
    for_each_step(part, first_row, core_m, p.base.m, cut(whole_m, last_row), [&](const Reg& row, const Value& rows) {
      for_each_step(part, first_col, core_n, p.base.n, cut(whole_n, last_col), [&](const Reg& col, const Value& cols) {
        body({group, 0, row, rows, col, cols});
      });
    });
  };
  const auto in_group = [&](const Value& group) {
    if (panels == 1) return in_panel(group, nullptr);
    part.for_range(0, p.m, panel_m, [&](const Reg& begin) { in_panel(group, &begin); });
  };
  if (p.groups == 1) return in_group(0);
  part.for_range(0, p.groups, 1, [&](const Reg& group) { in_group(group); });
}

/// Block `index` of a group: its row and column of blocks.
struct BlockPlace {
  Reg row, col;
};
BlockPlace place_of(const GemmPlan& p, const Reg& index, std::uint32_t rows, std::uint32_t cols) {
  if (p.order == GemmPlan::BlockOrder::Row) return {index / cols, index % cols};
  // Panels of kPanelRows rows, column by column in each; every other panel from the last column back.
  const Reg panel = index / (kPanelRows * cols), inside = index % (kPanelRows * cols);
  const Reg first_row = panel * kPanelRows;
  const Reg height = min(first_row.part().imm(rows) - first_row, kPanelRows);
  Reg row = first_row + inside % height;
  Reg col = inside / height;
  const Reg turned = col * -2 + (cols - 1);
  col += panel % 2 * turned;
  return {std::move(row), std::move(col)};
}

/// Blocks in one order over all groups, core i the blocks i, i + cores, ...; the parts of k of a block follow each
/// other.
void for_each_in_turn(PartBuilder& part, const GemmPlan& p, const std::function<void(const GemmBlock&)>& body) {
  const std::uint32_t rows = ceiling(p.m, p.base.m), cols = ceiling(p.n, p.base.n), per_group = rows * cols;
  const bool whole_m = p.m % p.base.m == 0, whole_n = p.n % p.base.n == 0;
  part.for_range(part.block_index(), p.groups * per_group * p.split_k, p.cores, [&](const Reg& turn) {
    // Registers are few: only what varies has one.
    std::optional<Reg> k_part, group, cut_rows, cut_cols;
    const auto place = [&] {
      if (p.split_k == 1 && p.groups == 1) return place_of(p, turn, rows, cols);
      const Reg block = turn / p.split_k;
      if (p.split_k > 1) k_part.emplace(turn % p.split_k);
      if (p.groups > 1) group.emplace(block / per_group);
      return place_of(p, block % per_group, rows, cols);
    };
    BlockPlace at = place();
    at.row.set(at.row * p.base.m);
    at.col.set(at.col * p.base.n);
    if (!whole_m) cut_rows.emplace(min(part.imm(p.m) - at.row, p.base.m));
    if (!whole_n) cut_cols.emplace(min(part.imm(p.n) - at.col, p.base.n));
    body({group ? Value{*group} : Value{0}, k_part ? Value{*k_part} : Value{0}, at.row,
          cut_rows ? Value{*cut_rows} : Value{p.base.m}, at.col, cut_cols ? Value{*cut_cols} : Value{p.base.n}});
  });
}

}  // namespace

GemmPlan resolved(const char* kernel, const GemmPlan& plan, const ArchSpec& arch) {
  GemmPlan p = plan;
  refuse_unmodelled(kernel, p);
  check_types(kernel, p);
  choose_cores(kernel, p, arch);
  check_split(kernel, p, arch);
  if (p.base.m == 0) choose_block(p, arch);
  if (p.base.k == 0) p.base.k = most_k(p, arch);
  check_base(kernel, p, arch);
  if (p.step_k == 0) p.step_k = plan.base.m == 0 ? most_steps(p, arch) : 1;
  return p;
}

void for_each_block(PartBuilder& part, const GemmPlan& plan, const std::function<void(const GemmBlock&)>& body) {
  plan.grid.count() != 0 ? for_each_in_grid(part, plan, body) : for_each_in_turn(part, plan, body);
}

}  // namespace npu::kernels
