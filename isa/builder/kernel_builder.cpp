#include "isa/builder/kernel_builder.hpp"

#include <utility>

#include "isa/errors.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {

TensorArgument KernelBuilder::tensor(const std::string& name, ArgKind kind, DType dtype, std::uint32_t cols) {
  NPU_ASSERT(object_.args.empty() || object_.args.back().kind != ArgKind::Scalar, "tensors come before scalars");
  object_.args.push_back({.name = name, .kind = kind, .dtype = dtype, .cols = cols});
  return {static_cast<std::uint32_t>(object_.args.size() - 1), dtype, cols};
}

ScalarArgument KernelBuilder::scalar(const std::string& name) {
  object_.args.push_back({.name = name, .kind = ArgKind::Scalar, .dtype = DType::I64});
  return {static_cast<std::uint32_t>(object_.args.size() - 1)};
}

Program KernelBuilder::part(CoreKind kind, const std::function<void(PartBuilder&)>& body) {
  PartBuilder builder{object_.name, kind, arch_};
  body(builder);
  memory_map_.insert(memory_map_.end(), builder.memory_map().begin(), builder.memory_map().end());
  return builder.finish();
}

KernelObject KernelBuilder::finish(std::uint32_t blocks, std::uint64_t workspace_bytes) {
  NPU_ASSERT(object_.cube || object_.vector, "a kernel has at least one part");
  object_.blocks = blocks;
  for (ArgInfo& argument : object_.args) {
    if (argument.kind != ArgKind::Workspace) continue;
    argument.rows =
        static_cast<std::uint32_t>(workspace_bytes / (std::uint64_t{argument.cols} * size_of(argument.dtype)));
    NPU_ASSERT(workspace_bytes != 0 && argument.bytes() == workspace_bytes, "a workspace has whole rows");
  }
  require_capacity(object_.name, memory_map_, arch_);
  require_legal(object_, arch_);
  return std::move(object_);
}

}  // namespace npu::isa
