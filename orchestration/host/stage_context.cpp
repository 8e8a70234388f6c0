#include "orchestration/host/stage_context.hpp"

#include "isa/errors.hpp"
#include "orchestration/data/layer_tensors.hpp"

namespace npu::orch {

void StageContext::scratch(const std::string& name, isa::DType dtype, Shape shape) {
  const std::string on_device = device_name(name);
  if (tensors_.find(tasks_.card(), on_device) == nullptr) {
    tensors_.add(tasks_.card(), on_device, dtype, std::move(shape));
  }
}

void StageContext::add_task(const std::string& name, const KernelStore::Build& build, const Bindings& bindings,
                            const ScalarBindings& scalars) {
  Bindings on_device;
  for (const Binding& binding : bindings) {
    const std::string& bound = on_device.emplace_back(binding.argument, device_name(binding.tensor)).tensor;
    if (tensors_.find(tasks_.card(), bound) != nullptr) continue;
    const TensorSpec& spec = tensor_spec(binding.tensor);
    tensors_.add(tasks_.card(), bound, spec.dtype, spec.shape(config));
  }
  const kernels::Kernel* const kernel = kernels_.get(scope_.kernel_variant, name, build);
  if (kernel == nullptr) return;
  for (const Binding& binding : on_device) {
    kernels_.state_rows(scope_.kernel_variant + name, binding.argument,
                        tensors_.get(tasks_.card(), binding.tensor).size);
  }
  tasks_.add(*kernel, name, on_device, scalars);
}

model::GmAddress StageContext::address_of(const std::string& tensor) const {
  return tensors_.get(tasks_.card(), device_name(tensor)).address;
}

}  // namespace npu::orch
