#include "kernels/calibration/topk.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::TopkPlan;

class TopkCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    using enum isa::DType;
    return {
        number_field("rows", plan_.rows, {}, "rows, each with its own result"),
        number_field("cols", plan_.cols, {}, "columns of a row in memory"),
        number_field("valid", plan_.valid, {}, "columns that count, the first ones"),
        number_field("k", plan_.k, {}, "how many of the largest"),
        dtype_field("dtype", plan_.dtype, {F32, F16}, "type of an element"),
        number_field("cores", plan_.cores, {}, "vector cores", "all"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::topk(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    KernelValue x = random_value("x", plan_.dtype, plan_.rows, plan_.cols, options);
    KernelValue index;
    for (std::uint32_t card = 0; card < options.cards; ++card) {
      Tensor& places = index.tensors.emplace_back(Tensor::zeros("index", isa::DType::I32, {1, plan_.valid}));
      std::iota(places.writable<std::int32_t>().begin(), places.writable<std::int32_t>().end(), 0);
    }
    const auto fill_value = [&](Tensor& value, std::uint32_t card) {
      const auto from = x.tensors[card].as<float>();
      const auto to = value.writable<float>();
      for_each_best(from, [&](std::size_t at, std::size_t row, std::uint32_t col) { to[at] = from[row + col]; });
    };
    const auto fill_place = [&](Tensor& place, std::uint32_t card) {
      const auto to = place.writable<std::int32_t>();
      for_each_best(x.tensors[card].as<float>(),
                    [&](std::size_t at, std::size_t, std::uint32_t col) { to[at] = static_cast<std::int32_t>(col); });
    };
    KernelValue value = result_value("value", plan_.dtype, plan_.rows, plan_.k, options, fill_value);
    KernelValue place = result_value("place", isa::DType::I32, plan_.rows, plan_.k, options, fill_place);
    return {std::move(x), std::move(index), std::move(value), std::move(place)};
  }

 private:
  /// f(position in the result, first element of the row, column), from the largest down.
  template <class F>
  void for_each_best(std::span<const float> x, const F& f) const {
    std::vector<std::uint32_t> order(plan_.valid);
    for (std::size_t row = 0; row < plan_.rows; ++row) {
      const std::size_t first = row * plan_.cols;
      std::iota(order.begin(), order.end(), 0U);
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return x[first + a] > x[first + b]; });
      for (std::size_t i = 0; i < plan_.k; ++i) f(row * plan_.k + i, first, order[i]);
    }
  }

  TopkPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_topk_case() { return std::make_unique<TopkCase>(); }

}  // namespace npu::orch
