#include "kernels/calibration/quant_gemm.hpp"

#include <algorithm>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/gemm_fields.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using isa::DType;
using kernels::GemmPlan;
using kernels::QuantGemmPlan;

class QuantGemmCase final : public CalibrationCase {
 public:
  QuantGemmCase() {
    plan_.gemm.dtype = DType::I8;
    plan_.gemm.out = DType::BF16;
  }

  std::vector<PlanField> fields() override {
    std::vector<PlanField> fields = gemm_fields(plan_.gemm);
    fields.push_back(dtype_field("dtype", plan_.gemm.dtype, {DType::I8}, "type of A and B"));
    fields.push_back(dtype_field("out-dtype", plan_.gemm.out, {DType::BF16, DType::F32}, "type of C"));
    fields.push_back(number_field("aiv", plan_.aiv, {1, 2}, "vector cores of a cluster that scale"));
    fields.push_back(
        number_field("workspace", plan_.workspace, {1, 15}, "blocks in flight from the cube core to them, in memory"));
    fields.push_back(number_field("rows-at-once", plan_.rows, {1, 256}, "rows that a vector core scales at a time"));
    return fields;
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::quant_gemm(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    const GemmPlan& p = plan_.gemm;
    const std::uint64_t rows = std::uint64_t{p.groups} * p.m;
    const kernels::Extent2 b_extent = extent_of_b(p);
    KernelValue x = random_value("x", DType::I8, rows, p.k, options);
    KernelValue x_scale = random_value("x_scale", DType::F32, rows, 1, options);
    KernelValue w = random_value("w", DType::I8, b_extent.rows, b_extent.cols, options);
    KernelValue w_scale = random_value("w_scale", DType::F32, p.groups, p.n, options);
    const auto fill = [&](Tensor& y, std::uint32_t card) {
      const std::vector<std::int32_t> sums = integer_product(p, x.tensors[card], w.tensors[card], options.threads);
      const auto by_row = x_scale.tensors[card].as<float>(), by_col = w_scale.tensors[card].as<float>();
      std::vector<float> scaled(sums.size());
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t col = 0; col < p.n; ++col) {
          const std::size_t at = row * p.n + col;
          scaled[at] = static_cast<float>(sums[at]) * by_row[row] * by_col[row / p.m * p.n + col];
        }
      }
      from_floats(y, scaled);
    };
    KernelValue y = result_value("y", p.out, rows, p.n, options, fill);
    KernelValue workspace;
    std::vector<KernelValue> values;
    for (KernelValue* value : {&x, &x_scale, &w, &w_scale, &y, &workspace}) values.push_back(std::move(*value));
    return values;
  }

 private:
  QuantGemmPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_quant_gemm_case() { return std::make_unique<QuantGemmCase>(); }

}  // namespace npu::orch
