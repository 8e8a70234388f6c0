#include <algorithm>
#include <functional>

#include "kernels/calibration/vector_add.hpp"
#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::L2Use;
using kernels::VectorAddPlan;

class VectorAddCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum isa::DType;
    return {
        number_field("rows", plan_.rows, {}, "rows of x, y and z, whole ones for each core"),
        number_field("cols", plan_.cols, {}, "columns"),
        dtype_field("dtype", plan_.dtype, {F16, F32, I16, I32}, "type of an element"),
        number_field("chunk", plan_.chunk, {1, 65'024}, "elements of one step"),
        number_field("cores", plan_.cores, {}, "vector cores", "all"),
        number_field("buffers", plan_.buffers, {1, 2}, "1: load, add, store in turn; 2: they overlap"),
        choice_field("in-l2", plan_.in_l2, {{"keep", L2Use::Keep}, {"bypass", L2Use::Bypass}},
                     "whether loads leave a copy in L2"),
        choice_field("out-l2", plan_.out_l2, {{"keep", L2Use::Keep}, {"bypass", L2Use::Bypass}},
                     "whether stores leave a copy in L2"),
        choice_field("banks", plan_.banks,
                     {{"conflict", VectorAddPlan::Banks::Conflict}, {"free", VectorAddPlan::Banks::Free}},
                     "whether the two sources start in one bank group of UB"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::vector_add(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    KernelValue x = random_value("x", plan_.dtype, plan_.rows, plan_.cols, options);
    KernelValue y = random_value("y", plan_.dtype, plan_.rows, plan_.cols, options);
    const auto fill = [&](Tensor& sum, std::uint32_t card) {
      const Tensor &a = x.tensors[card], &b = y.tensors[card];
      if (plan_.dtype == isa::DType::I16) return add<std::int16_t>(sum, a, b);
      if (plan_.dtype == isa::DType::I32) return add<std::int32_t>(sum, a, b);
      std::vector<float> left = to_floats(a), right = to_floats(b);
      std::ranges::transform(left, right, left.begin(), std::plus<>{});
      from_floats(sum, left);
    };
    KernelValue z = result_value("z", plan_.dtype, plan_.rows, plan_.cols, options, fill);
    return {std::move(x), std::move(y), std::move(z)};
  }

  /// The published kernel fills all of UB, also the top that tools leave alone.
  std::vector<std::string> machine_figures() const override { return {"core.ub_reserved_kib=0"}; }

 private:
  template <class T>
  static void add(Tensor& sum, const Tensor& a, const Tensor& b) {
    std::ranges::transform(a.as<T>(), b.as<T>(), sum.writable<T>().begin(),
                           [](T left, T right) { return static_cast<T>(left + right); });
  }

  VectorAddPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_vector_add_case() { return std::make_unique<VectorAddCase>(); }

}  // namespace npu::orch
