#include "orchestration/host/stage_context.hpp"

#include "orchestration/data/layer_tensors.hpp"

namespace npu::orch {

const kernels::Kernel& KernelStore::get(const std::string& name, const std::function<kernels::Kernel()>& build) {
  if (const auto it = kernels_.find(name); it != kernels_.end()) return it->second;
  try {
    return kernels_.emplace(name, build()).first->second;
  } catch (const isa::CapacityError& error) {
    if (oversized_ == Oversized::Refuse) throw;
    // Whoever binds the kernel asks for its arguments and for a workspace that is not empty.
    kernels::Kernel kernel;
    kernel.workspace_bytes = 1;
    kernel.memory_map = error.memory_map;
    kernel.object.name = name;
    kernel.object.args = error.args;
    return kernels_.emplace(name, std::move(kernel)).first->second;
  }
}

void StageContext::scratch(const std::string& name, isa::DType dtype, Shape shape) {
  if (tensors_.find(tasks_.card(), name) == nullptr) tensors_.add(tasks_.card(), name, dtype, std::move(shape));
}

TaskRef StageContext::task(const std::string& name, const std::function<kernels::Kernel()>& build,
                           const Bindings& bindings, const std::vector<TaskRef>& after) {
  for (const Binding& binding : bindings) {
    if (tensors_.find(tasks_.card(), binding.tensor) != nullptr) continue;
    const TensorSpec& spec = tensor_spec(binding.tensor);
    tensors_.add(tasks_.card(), binding.tensor, spec.dtype, spec.shape(config));
  }
  return tasks_.add(kernels_.get(name, build), name, bindings, after);
}

model::GmAddress StageContext::address_of(std::string_view tensor) const {
  return tensors_.get(tasks_.card(), tensor).address;
}

}  // namespace npu::orch
