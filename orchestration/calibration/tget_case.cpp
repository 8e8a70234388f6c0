#include "kernels/calibration/tget.hpp"

#include <algorithm>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::TgetPlan;

class TgetCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    return {
        number_field("bytes", plan_.bytes, {1, 1U << 30U}, "bytes that every card reads from its neighbour"),
        choice_field("engine", plan_.engine, {{"mte", TgetPlan::Engine::Mte}, {"sdma", TgetPlan::Engine::Sdma}},
                     "mte: a core loads and stores; sdma: the copy engine between the cards"),
        number_field("tile-bytes", plan_.tile_bytes, {32, 65'504}, "bytes of one load and store"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t cards) const override {
    return kernels::tget(plan_, arch, cards);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    KernelValue remote = random_value("remote", isa::DType::U8, 1, plan_.bytes, options);
    const auto fill = [&](Tensor& local, std::uint32_t card) {
      const Tensor& neighbour = remote.tensors[(card + 1) % options.cards];
      std::ranges::copy(neighbour.bytes(), local.writable_bytes().begin());
    };
    KernelValue local = result_value("local", isa::DType::U8, 1, plan_.bytes, options, fill);
    return {std::move(remote), std::move(local)};
  }

 private:
  TgetPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_tget_case() { return std::make_unique<TgetCase>(); }

}  // namespace npu::orch
