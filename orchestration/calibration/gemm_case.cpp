#include "kernels/calibration/gemm.hpp"

#include <algorithm>
#include <optional>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/gemm_fields.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using isa::DType;
using kernels::GemmPlan;

class GemmCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum DType;
    std::vector<PlanField> fields = gemm_fields(plan_);
    fields.push_back(dtype_field("dtype", plan_.dtype, {F16, BF16, I8}, "type of A and B"));
    PlanField out = dtype_field("out-dtype", out_, {F16, BF16, F32, I32}, "type of C");
    out.fallback = "that of A, i32 for i8";
    out.take = [this, take = out.take](std::string_view text) {
      take(text);
      has_out_ = true;
    };
    fields.push_back(std::move(out));
    return fields;
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::gemm(plan(), arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    const GemmPlan p = plan();
    const kernels::Extent2 b_extent = extent_of_b(p);
    const std::uint64_t rows = std::uint64_t{p.groups} * p.m;
    KernelValue a = random_value("a", p.dtype, rows, p.k, options);
    KernelValue b = random_value("b", p.dtype, b_extent.rows, b_extent.cols, options);
    const auto fill = [&](Tensor& c, std::uint32_t card) {
      if (p.dtype == DType::I8) {
        std::ranges::copy(integer_product(p, a.tensors[card], b.tensors[card], options.threads),
                          c.writable<std::int32_t>().begin());
      } else {
        from_floats(c, float_product(p, a.tensors[card], b.tensors[card], options.threads));
      }
    };
    KernelValue c = result_value("c", p.out, rows, p.n, options, fill);
    return {std::move(a), std::move(b), std::move(c)};
  }

 private:
  [[nodiscard]] GemmPlan plan() const {
    GemmPlan p = plan_;
    p.out = has_out_ ? out_ : p.dtype == DType::I8 ? DType::I32 : p.dtype;
    return p;
  }

  GemmPlan plan_;
  DType out_ = DType::F16;
  bool has_out_ = false;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_gemm_case() { return std::make_unique<GemmCase>(); }

}  // namespace npu::orch
