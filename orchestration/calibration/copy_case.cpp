#include "kernels/calibration/copy.hpp"

#include <algorithm>
#include <cstring>

#include "isa/units.hpp"
#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::CopyPlan;

class CopyCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum isa::DType;
    return {
        choice_field("path", plan_.path, {{"gm-ub", CopyPlan::Path::GmToUb}, {"gm-l1", CopyPlan::Path::GmToL1}},
                     "where the tiles go: UB of the vector cores, or L1 of the cube cores in fractals"),
        number_field("rows", plan_.rows, {}, "rows of the matrix"),
        number_field("cols", plan_.cols, {}, "columns of the matrix"),
        number_field("row-stride", plan_.row_stride, {}, "elements from row to row in memory", "--cols"),
        dtype_field("dtype", plan_.dtype, {F16, BF16, F32, I8, I32}, "type of an element"),
        extent_field("tile", plan_.tile, 16'384, "elements of one load"),
        number_field("cores", plan_.cores, {}, "cores that read", "all of the kind"),
        number_field("passes", plan_.passes, {}, "how often a slice is read before the next"),
        number_field("slices", plan_.slices, {}, "slices of columns, in whole tiles"),
        choice_field(
            "order", plan_.order,
            {{"distinct", CopyPlan::Order::Distinct},
             {"same", CopyPlan::Order::Same},
             {"rotated", CopyPlan::Order::Rotated}},
            "distinct: a band of rows for each core; same: each core the whole matrix; rotated: the same, each "
            "from another tile on"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::copy(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& kernel, const CaseOptions& options) const override {
    KernelValue x = random_value("x", plan_.dtype, plan_.rows, plan_.stride(), options);
    const auto fill = [&](Tensor& seen, std::uint32_t card) {
      for (std::uint32_t core = 0; core < kernel.object.blocks; ++core)
        fill_seen(seen, x.tensors[card], core, kernel.object.blocks);
    };
    KernelValue seen = result_value("seen", plan_.dtype, kernel.object.blocks, plan_.left_behind(), options, fill);
    return {std::move(x), std::move(seen)};
  }

 private:
  /// The first elements of the last tile that the core reads; what its store does not reach stays zero.
  void fill_seen(Tensor& seen, const Tensor& x, std::uint32_t core, std::uint32_t cores) const {
    const std::uint32_t tile_rows = plan_.tile.rows, tile_cols = plan_.tile.cols;
    const auto tiles = static_cast<std::uint32_t>(isa::ceil_div(plan_.rows, tile_rows));
    std::uint64_t row = 0;
    if (plan_.order == CopyPlan::Order::Distinct) {
      const auto band = static_cast<std::uint32_t>(isa::ceil_div(plan_.rows, cores));
      const std::uint64_t first = std::uint64_t{core} * band;
      const std::uint64_t last = std::min<std::uint64_t>(first + band, plan_.rows);
      if (first >= last) return;
      row = first + (last - first - 1) / tile_rows * tile_rows;
    } else {
      const std::uint64_t start = plan_.order == CopyPlan::Order::Same ? 0 : std::uint64_t{core} * tiles / cores;
      row = (start + tiles - 1) % tiles * tile_rows;
    }
    const std::uint64_t col = (plan_.cols - 1) / tile_cols * std::uint64_t{tile_cols};
    const std::uint64_t width = std::min<std::uint64_t>({plan_.left_behind(), plan_.cols - col, tile_cols});
    const std::uint32_t size = isa::size_of(plan_.dtype);
    std::memcpy(seen.writable_bytes().data() + std::uint64_t{core} * plan_.left_behind() * size,
                x.bytes().data() + (row * plan_.stride() + col) * size, width * size);
  }

  CopyPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_copy_case() { return std::make_unique<CopyCase>(); }

}  // namespace npu::orch
