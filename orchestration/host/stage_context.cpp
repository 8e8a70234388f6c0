#include "orchestration/host/stage_context.hpp"

#include "orchestration/data/layer_tensors.hpp"

namespace npu::orch {

const kernels::Kernel& KernelStore::get(const std::string& name, const std::function<kernels::Kernel()>& build) {
  if (const auto it = kernels_.find(name); it != kernels_.end()) return it->second;
  try {
    return kernels_.emplace(name, build()).first->second;
  } catch (const isa::CapacityError& error) {
    if (oversized_ == Oversized::Refuse) throw;
    // Whoever binds the kernel asks for its arguments.
    kernels::Kernel kernel;
    kernel.memory_map = error.memory_map;
    kernel.object.name = name;
    kernel.object.args = error.args;
    return kernels_.emplace(name, std::move(kernel)).first->second;
  }
}

void KernelStore::state_rows(const std::string& name, std::string_view argument, isa::Bytes size) {
  for (isa::ArgInfo& info : kernels_.at(name).object.args) {
    if (info.name != argument || info.cols == 0 || info.rows != 0) continue;
    info.rows = static_cast<std::uint32_t>(size.count() / (std::uint64_t{info.cols} * isa::size_of(info.dtype)));
  }
}

void StageContext::scratch(const std::string& name, isa::DType dtype, Shape shape) {
  const std::string on_device = device_name(name);
  if (tensors_.find(tasks_.card(), on_device) == nullptr) {
    tensors_.add(tasks_.card(), on_device, dtype, std::move(shape));
  }
}

void StageContext::task(const std::string& name, const std::function<kernels::Kernel()>& build,
                        const Bindings& bindings, const ScalarBindings& scalars) {
  Bindings on_device;
  for (const Binding& binding : bindings) {
    const std::string& bound = on_device.emplace_back(binding.argument, device_name(binding.tensor)).tensor;
    if (tensors_.find(tasks_.card(), bound) != nullptr) continue;
    const TensorSpec& spec = tensor_spec(binding.tensor);
    tensors_.add(tasks_.card(), bound, spec.dtype, spec.shape(config));
  }
  const std::string in_store = scope_.kernel_variant + name;
  const kernels::Kernel& kernel = kernels_.get(in_store, build);
  for (const Binding& binding : on_device) {
    kernels_.state_rows(in_store, binding.argument, tensors_.get(tasks_.card(), binding.tensor).size);
  }
  tasks_.add(kernel, name, on_device, scalars);
}

model::GmAddress StageContext::address_of(const std::string& tensor) const {
  return tensors_.get(tasks_.card(), device_name(tensor)).address;
}

}  // namespace npu::orch
