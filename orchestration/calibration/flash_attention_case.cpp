#include "kernels/calibration/flash_attention.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/reference/matmul.hpp"
#include "orchestration/calibration/cases.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using isa::DType;
using kernels::FlashAttentionPlan;
using kernels::reference::Matrix;

class FlashAttentionCase final : public CalibrationCase {
 public:
  std::vector<PlanField> fields() override {
    return {
        number_field("s0", plan_.s0, {16, 1U << 20U}, "queries of a head"),
        number_field("s1", plan_.s1, {16, 1U << 20U}, "keys of a head"),
        number_field("head-dim", plan_.head_dim, {16, 256}, "elements of a query, a key and a value"),
        number_field("heads", plan_.heads, {1, 1024}, "heads, each with its own queries, keys and values"),
        number_field("cores", plan_.cores, {}, "clusters", "one for each block of queries, as far as there are"),
        number_field("cube-s0", plan_.cube_s0, {16, 256}, "queries of a block", "at most 128"),
        number_field("cube-s1", plan_.cube_s1, {16, 256}, "keys of one product", "at most 128"),
        number_field("tile-s1", plan_.tile_s1, {16, 2048}, "keys that the cores hand over at a time",
                     "two products where they divide the keys"),
        number_field("preload", plan_.preload, {0, 14}, "tiles that scores run ahead of values"),
        number_field("fifo", plan_.fifo, {1, 15}, "tiles in flight between the cores"),
    };
  }

  kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t /*cards*/) const override {
    return kernels::flash_attention(plan_, arch);
  }

  std::vector<KernelValue> values(const kernels::Kernel& /*kernel*/, const CaseOptions& options) const override {
    const std::uint64_t queries = std::uint64_t{plan_.heads} * plan_.s0, keys = std::uint64_t{plan_.heads} * plan_.s1;
    KernelValue q = random_value("q", DType::F16, queries, plan_.head_dim, options);
    KernelValue k = random_value("k", DType::F16, keys, plan_.head_dim, options);
    KernelValue v = random_value("v", DType::F16, keys, plan_.head_dim, options);
    const auto fill = [&](Tensor& o, std::uint32_t card) {
      attend(to_floats(q.tensors[card]), to_floats(k.tensors[card]), to_floats(v.tensors[card]),
             o.writable<float>().data(), options.threads);
    };
    KernelValue o = result_value("o", DType::F32, queries, plan_.head_dim, options, fill);
    std::vector<KernelValue> values;
    for (KernelValue* value : {&q, &k, &v, &o}) values.push_back(std::move(*value));
    values.emplace_back();  // the workspace
    return values;
  }

 private:
  /// Untiled, in f32.
  void attend(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v, float* o,
              unsigned threads) const {
    const std::size_t s0 = plan_.s0, s1 = plan_.s1, dim = plan_.head_dim;
    std::vector<float> weights(s0 * s1);
    for (std::size_t head = 0; head < plan_.heads; ++head) {
      kernels::reference::matmul_transposed(Matrix<const float>{q.data() + head * s0 * dim, s0, dim},
                                            Matrix<const float>{k.data() + head * s1 * dim, s1, dim},
                                            Matrix<float>{weights.data(), s0, s1}, threads);
      for (std::size_t row = 0; row < s0; ++row) softmax({weights.data() + row * s1, s1});
      kernels::reference::matmul(Matrix<const float>{weights.data(), s0, s1},
                                 Matrix<const float>{v.data() + head * s1 * dim, s1, dim},
                                 Matrix<float>{o + head * s0 * dim, s0, dim}, threads);
    }
  }

  void softmax(std::span<float> scores) const {
    const double scale = 1.0 / std::sqrt(static_cast<double>(plan_.head_dim));
    const float largest = *std::ranges::max_element(scores);
    double sum = 0;
    for (float& x : scores) {
      x = static_cast<float>(std::exp(scale * static_cast<double>(x - largest)));
      sum += static_cast<double>(x);
    }
    for (float& x : scores) x = static_cast<float>(static_cast<double>(x) / sum);
  }

  FlashAttentionPlan plan_;
};

}  // namespace

std::unique_ptr<CalibrationCase> make_flash_attention_case() { return std::make_unique<FlashAttentionCase>(); }

}  // namespace npu::orch
