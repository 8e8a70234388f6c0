#include "orchestration/host/bind_task.hpp"

#include <fmt/format.h>

#include <utility>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

model::Direction direction_of(isa::ArgKind kind) {
  switch (kind) {
    case isa::ArgKind::In:
      return model::Direction::In;
    case isa::ArgKind::Out:
      return model::Direction::Out;
    case isa::ArgKind::InOut:
    case isa::ArgKind::Workspace:
      return model::Direction::InOut;
    case isa::ArgKind::Scalar:
      break;
  }
  NPU_ASSERT(false, "a scalar has no direction");
  return model::Direction::In;
}

void require_shape(const isa::KernelObject& kernel, const isa::ArgInfo& argument, isa::Bytes size) {
  if (argument.cols == 0) return;
  const std::uint64_t row = std::uint64_t{argument.cols} * isa::size_of(argument.dtype);
  const std::string message = fmt::format("kernel {}: argument {} is {}x{}, its tensor has {} bytes", kernel.name,
                                          argument.name, argument.rows, argument.cols, size.count());
  NPU_ASSERT(argument.rows == 0 ? size.count() % row == 0 : size.count() == argument.bytes(), message.c_str());
}

}  // namespace

model::TaskSpec bind_task(const isa::KernelObject& kernel, std::string name, const Binder& binder) {
  model::TaskSpec task;
  task.kernel = &kernel;
  task.name = std::move(name);
  task.blocks = kernel.blocks;
  task.sync_start = kernel.sync_start;
  for (std::size_t i = 0; i < kernel.args.size(); ++i) {
    const isa::ArgInfo& argument = kernel.args[i];
    if (argument.kind == isa::ArgKind::Scalar) {
      task.scalars.push_back(binder.scalar(i));
      continue;
    }
    const BoundTensor bound = argument.kind == isa::ArgKind::Workspace ? binder.workspace(i) : binder.tensor(i);
    require_shape(kernel, argument, bound.size);
    task.tensors.push_back({bound.address, bound.size, direction_of(argument.kind)});
  }
  return task;
}

}  // namespace npu::orch
