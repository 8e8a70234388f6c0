#include "orchestration/calibration/tensors.hpp"

#include <algorithm>

#include "isa/errors.hpp"

namespace npu::orch {

using isa::DType;

KernelValue random_value(const std::string& name, DType dtype, std::uint64_t rows, std::uint64_t cols,
                         const CaseOptions& options) {
  KernelValue value;
  for (std::uint32_t card = 0; card < options.cards; ++card) {
    value.tensors.push_back(options.values ? random_tensor(name, dtype, {rows, cols}, options.seed, card)
                                           : Tensor::zeros(name, dtype, {rows, cols}));
  }
  return value;
}

KernelValue result_value(const std::string& name, DType dtype, std::uint64_t rows, std::uint64_t cols,
                         const CaseOptions& options, const std::function<void(Tensor&, std::uint32_t card)>& fill) {
  KernelValue value;
  for (std::uint32_t card = 0; card < options.cards; ++card) {
    value.tensors.push_back(Tensor::zeros(name, dtype, {rows, cols}));
    if (!options.values || !options.expected) continue;
    fill(value.expected.emplace_back(Tensor::zeros(name, dtype, {rows, cols})), card);
  }
  return value;
}

KernelValue scratch_value(const std::string& name, std::uint64_t bytes, const CaseOptions& options) {
  KernelValue value;
  value.tensors.assign(options.cards, Tensor::zeros(name, DType::U8, {bytes}));
  return value;
}

std::vector<float> to_floats(const Tensor& tensor) {
  std::vector<float> floats(tensor.elements());
  const auto convert = [&](const auto from) {
    std::transform(from.begin(), from.end(), floats.begin(), [](auto v) { return isa::to_float(v); });
  };
  switch (tensor.dtype()) {
    case DType::F16:
      convert(tensor.as<isa::Fp16>());
      break;
    case DType::BF16:
      convert(tensor.as<isa::Bf16>());
      break;
    default:
      std::ranges::copy(tensor.as<float>(), floats.begin());
  }
  return floats;
}

void from_floats(Tensor& tensor, const std::vector<float>& values) {
  NPU_ASSERT(values.size() == tensor.elements(), "one value for each element");
  switch (tensor.dtype()) {
    case DType::F16:
      std::ranges::transform(values, tensor.writable<isa::Fp16>().begin(), [](float v) { return isa::to_fp16(v); });
      break;
    case DType::BF16:
      std::ranges::transform(values, tensor.writable<isa::Bf16>().begin(), [](float v) { return isa::to_bf16(v); });
      break;
    default:
      std::ranges::copy(values, tensor.writable<float>().begin());
  }
}

}  // namespace npu::orch
