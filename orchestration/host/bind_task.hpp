// The one way from a kernel's arguments to a task: tensors and scalars in the order in which the kernel reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "isa/program.hpp"
#include "model/device.hpp"

namespace npu::orch {

/// Where a tensor argument lies.
struct BoundTensor {
  model::GmAddress address{};
  isa::Bytes size{};
};

/// What stands behind the arguments; `argument` is a position in the kernel's list.
struct Binder {
  std::function<BoundTensor(std::size_t argument)> tensor;  ///< of the shape that the kernel states
  std::function<std::int64_t(std::size_t argument)> scalar;
  std::function<BoundTensor(std::size_t argument)> workspace;  ///< new memory of ArgInfo::bytes()
};

/// A task with the blocks that the kernel states. The kernel outlives it.
[[nodiscard]] model::TaskSpec bind_task(const isa::KernelObject& kernel, std::string name, const Binder& binder);

}  // namespace npu::orch
