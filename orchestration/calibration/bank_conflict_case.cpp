#include "kernels/calibration/bank_conflict.hpp"

#include <algorithm>
#include <vector>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::BankConflictPlan;

class BankConflictCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum isa::DType;
    using enum BankConflictPlan::Placement;
    return {
        number_field("repeats", plan_.repeats, {1, 255}, "repeats of 256 bytes of one addition"),
        number_field("count", plan_.count, {}, "additions, one after the other"),
        dtype_field("dtype", plan_.dtype, {F16, F32}, "type of an element"),
        choice_field(
            "placement", plan_.placement,
            {{"free", Free},
             {"read-read", ReadRead},
             {"read-write", ReadWrite},
             {"same-bank", SameBank},
             {"in-place", InPlace}},
            "free: no operand meets another; read-read: both sources in one bank group; read-write: the result "
            "a block behind the first source; same-bank: the result in its bank; in-place: the result is the "
            "second source, of two in turn"),
        number_field("src-block-stride", plan_.src_block_stride, {0, 255},
                     "blocks of 32 bytes from one of a repeat's "
                     "eight blocks to the next"),
        number_field("src-repeat-stride", plan_.src_repeat_stride, {0, 255},
                     "blocks of 32 bytes from a repeat to the next"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::bank_conflict(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    const auto fill = [&](Tensor& result, std::uint32_t /*card*/) {
      Tensor sum = Tensor::zeros("sum", plan_.dtype, {1});
      from_floats(sum, {2});
      const bool in_place = plan_.placement == BankConflictPlan::Placement::InPlace;
      for (std::uint32_t i = 0; i < (in_place ? (plan_.count + 1) / 2 : 1); ++i)
        from_floats(sum, {to_floats(sum)[0] + 1});
      from_floats(result, std::vector<float>(result.elements(), to_floats(sum)[0]));
    };
    std::vector<KernelValue> values;
    values.push_back(result_value("result", plan_.dtype, plan_.repeats, plan_.lanes(), options, fill));
    return values;
  }

  /// The result in another row of banks reaches to the top of UB, which tools leave alone.
  std::vector<std::string> machine_figures() const override { return {"core.ub_reserved_kib=0"}; }

 private:
  BankConflictPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_bank_conflict_case() { return std::make_unique<BankConflictCase>(); }

}  // namespace npu::orch
