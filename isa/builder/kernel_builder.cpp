#include "isa/builder/kernel_builder.hpp"

#include <utility>

#include "isa/errors.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {

TensorArgument KernelBuilder::tensor(const std::string& name, ArgKind kind, DType dtype, std::uint32_t cols) {
  NPU_ASSERT(object_.args.empty() || object_.args.back().kind != ArgKind::Scalar, "tensors come before scalars");
  object_.args.push_back({name, kind, dtype});
  return {static_cast<std::uint32_t>(object_.args.size() - 1), dtype, cols};
}

ScalarArgument KernelBuilder::scalar(const std::string& name) {
  object_.args.push_back({name, ArgKind::Scalar, DType::I64});
  return {static_cast<std::uint32_t>(object_.args.size() - 1)};
}

Program KernelBuilder::part(CoreKind kind, const std::function<void(PartBuilder&)>& body) {
  PartBuilder builder{object_.name, kind, arch_};
  body(builder);
  memory_map_.insert(memory_map_.end(), builder.memory_map().begin(), builder.memory_map().end());
  return builder.finish();
}

KernelObject KernelBuilder::finish() {
  NPU_ASSERT(object_.cube || object_.vector, "a kernel has at least one part");
  require_capacity(object_.name, memory_map_, arch_);
  require_legal(object_, arch_);
  return std::move(object_);
}

}  // namespace npu::isa
