#include "kernels/calibration/gemm_allreduce.hpp"

#include <vector>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/gemm_fields.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using isa::DType;
using kernels::GemmAllreducePlan;
using kernels::GemmPlan;

class GemmAllreduceCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum DType;
    std::vector<PlanField> fields = gemm_fields(plan_.gemm);
    fields.push_back(dtype_field("dtype", plan_.gemm.dtype, {F16, BF16}, "type of A and B"));
    fields.push_back(dtype_field("out-dtype", plan_.gemm.out, {F16, F32}, "type of C"));
    fields.push_back(
        number_field("comm-rows", plan_.comm_rows, {1, 256}, "rows of a block that move between cards at a time"));
    return fields;
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t cards) const override {
    return kernels::gemm_allreduce(plan_, arch, cards);
  }

  std::vector<KernelValue> values(const kernels::Kernel& kernel, const CaseOptions& options) const override {
    const GemmPlan& p = plan_.gemm;
    const kernels::Extent2 b_extent = extent_of_b(p);
    const std::uint64_t rows = std::uint64_t{p.groups} * p.m;
    KernelValue a = random_value("a", p.dtype, rows, p.k, options);
    KernelValue b = random_value("b", p.dtype, b_extent.rows, b_extent.cols, options);
    std::vector<float> sum;
    const auto fill = [&](Tensor& c, std::uint32_t /*card*/) {
      if (sum.empty()) sum = summed(a, b, options);
      from_floats(c, sum);
    };
    KernelValue c = result_value("c", p.out, rows, p.n, options, fill);
    // A block is a fractal at least.
    const std::uint64_t cells = kernel.object.blocks * std::uint64_t{most_blocks()};
    std::vector<KernelValue> values;
    for (KernelValue* value : {&a, &b, &c}) values.push_back(std::move(*value));
    values.push_back(scratch_value("partial", rows * p.n * isa::size_of(p.out), options));
    values.push_back(scratch_value("ready", 4 * cells, options));
    values.push_back(scratch_value("done", 4ULL * kernel.object.blocks, options));
    return values;
  }

 private:
  /// More than any core computes, whatever the block.
  [[nodiscard]] std::uint64_t most_blocks() const {
    constexpr std::uint64_t kFractal = 16;
    const GemmPlan& p = plan_.gemm;
    return p.groups * 2 * (p.m / kFractal + 2) * (p.n / kFractal + 2);
  }

  /// The sum over the cards of products rounded to the type of C.
  [[nodiscard]] std::vector<float> summed(const KernelValue& a, const KernelValue& b,
                                          const CaseOptions& options) const {
    const GemmPlan& p = plan_.gemm;
    std::vector<float> sum(std::size_t{p.groups} * p.m * p.n);
    for (std::uint32_t card = 0; card < options.cards; ++card) {
      Tensor own = Tensor::zeros("own", p.out, {sum.size()});
      from_floats(own, float_product(p, a.tensors[card], b.tensors[card], options.threads));
      const std::vector<float> rounded = to_floats(own);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += rounded[i];
    }
    return sum;
  }

  GemmAllreducePlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_gemm_allreduce_case() { return std::make_unique<GemmAllreduceCase>(); }

}  // namespace npu::orch
