#include "kernels/calibration/copy.hpp"

#include <algorithm>
#include <functional>

#include "isa/errors.hpp"
#include "isa/units.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

std::uint32_t tiles_of(std::uint32_t extent, std::uint32_t tile) {
  return static_cast<std::uint32_t>(ceil_div(extent, tile));
}

void check(const CopyPlan& plan) {
  if (plan.stride() < plan.cols) {
    throw config_error("copy: --row-stride {} is shorter than a row of --cols {}; choose at least that", plan.stride(),
                       plan.cols);
  }
  if (plan.slices > tiles_of(plan.cols, plan.tile.cols)) {
    throw config_error("copy: --slices {} of --cols {} are narrower than a tile of {} columns; choose at most {}",
                       plan.slices, plan.cols, plan.tile.cols, tiles_of(plan.cols, plan.tile.cols));
  }
}

/// Rows [first, first + tiles * tile.rows) of the matrix, for one core, from tile `start` on.
class CopyPart {
 public:
  CopyPart(PartBuilder& part, const CopyPlan& plan, std::uint32_t cores, const Tile& tile, const GmTensor& x)
      : part_{part}, plan_{plan}, cores_{cores}, tile_{tile}, x_{x} {}

  void emit() {
    const std::uint32_t width = tiles_of(tiles_of(plan_.cols, plan_.tile.cols), plan_.slices) * plan_.tile.cols;
    part_.for_range(0, plan_.cols, width, [&](const Reg& slice) {
      const Reg end = min(slice + width, plan_.cols);
      if (plan_.passes == 1) return read(slice, end);
      part_.for_range(0, plan_.passes, 1, [&](const Reg&) { read(slice, end); });
    });
  }

 private:
  void read(const Reg& first_col, const Reg& last_col) {
    const std::uint32_t step = plan_.tile.rows;
    if (plan_.order == CopyPlan::Order::Distinct) {
      const std::uint32_t band = tiles_of(plan_.rows, cores_);
      const Reg first = part_.block_index() * band;
      const Reg last = min(first + band, plan_.rows);
      part_.for_range(first, last, step, [&](const Reg& row) { read_row(row, last, first_col, last_col); });
      return;
    }
    const std::uint32_t tiles = tiles_of(plan_.rows, step);
    const Reg start = plan_.order == CopyPlan::Order::Same ? part_.imm(0) : part_.block_index() * tiles / cores_;
    const Reg last = part_.imm(plan_.rows);
    part_.for_range(start, start + tiles, 1, [&](const Reg& index) {
      const Reg row = index % tiles * step;
      read_row(row, last, first_col, last_col);
    });
  }

  /// The tiles of one row of tiles; their extents are constants where no tile is cut.
  void read_row(const Reg& row, const Reg& last_row, const Reg& first_col, const Reg& last_col) {
    const std::uint32_t band = plan_.order == CopyPlan::Order::Distinct ? tiles_of(plan_.rows, cores_) : plan_.rows;
    const bool whole_rows = band % plan_.tile.rows == 0 && plan_.rows % band == 0;
    const bool whole_cols = plan_.cols % plan_.tile.cols == 0;
    const Reg rows = whole_rows ? part_.imm(plan_.tile.rows) : min(last_row - row, plan_.tile.rows);
    const Value height = whole_rows ? Value{plan_.tile.rows} : Value{rows};
    part_.for_range(first_col, last_col, plan_.tile.cols, [&](const Reg& col) {
      if (whole_cols) return part_.tload(tile_.valid(height, plan_.tile.cols), x_.at(row, col));
      const Reg cols = min(last_col - col, plan_.tile.cols);
      part_.tload(tile_.valid(height, cols), x_.at(row, col));
    });
  }

  PartBuilder& part_;
  const CopyPlan& plan_;
  std::uint32_t cores_;
  const Tile& tile_;
  const GmTensor& x_;
};

}  // namespace

//   MTE2   tile 0 | tile 1 | tile 2 | ...          no flag between them: nobody reads the tile
//   MTE3                                    32 bytes of the last tile
Kernel copy(const CopyPlan& plan, const ArchSpec& arch) {
  check(plan);
  const bool to_ub = plan.path == CopyPlan::Path::GmToUb;
  const std::uint32_t cores =
      cores_of("copy", plan.cores, to_ub ? arch.vector_cores() : arch.clusters, to_ub ? "vector" : "cube");
  KernelBuilder k{"copy", arch};
  const auto x = k.input("x", plan.dtype, plan.stride());
  const auto seen = k.output("seen", plan.dtype, plan.left_behind());
  const std::function<void(PartBuilder&)> body = [&](PartBuilder& p) {
    const Tile tile = to_ub ? p.ub(plan.dtype, plan.tile.rows, plan.tile.cols, "tile")
                            : p.l1(plan.dtype, plan.tile.rows, plan.tile.cols, "tile");
    const GmTensor x_gm = p.tensor(x), seen_gm = p.tensor(seen);
    CopyPart{p, plan, cores, tile, x_gm}.emit();
    const std::uint32_t last_width = (plan.cols - 1) % plan.tile.cols + 1;
    const auto leave = [&] {
      p.sync(Pipe::MTE2, Pipe::MTE3);
      p.tstore(seen_gm.at(p.block_index(), 0), tile.view(0, 0, 1, std::min(plan.left_behind(), last_width)));
    };
    if (plan.order != CopyPlan::Order::Distinct) return leave();
    const Reg first_row = p.block_index() * tiles_of(plan.rows, cores);
    p.if_(first_row < plan.rows, leave);  // the last cores may have no rows
  };
  to_ub ? k.vector(body) : k.cube(body);
  return pack(k, cores);
}

}  // namespace npu::kernels
