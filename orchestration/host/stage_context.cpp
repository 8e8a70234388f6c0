#include "orchestration/host/stage_context.hpp"

#include "isa/errors.hpp"
#include "orchestration/data/layer_tensors.hpp"

namespace npu::orch {

const kernels::Kernel* KernelStore::get(const std::string& name, const std::function<kernels::Kernel()>& build) {
  if (const auto it = kernels_.find(name); it != kernels_.end()) return &it->second;
  if (unbuilt_.contains(name)) return nullptr;
  UnbuiltKernel unbuilt;
  try {
    return &kernels_.emplace(name, build()).first->second;
  } catch (const isa::CapacityError& error) {
    if (unbuildable_ == Unbuildable::Refuse) throw;
    unbuilt = {error.what(), false, error.memory_map};
  } catch (const ProgramError& error) {
    if (unbuildable_ == Unbuildable::Refuse) throw;
    unbuilt = {error.what(), false, {}};
  } catch (const ConfigError& error) {
    if (unbuildable_ == Unbuildable::Refuse) throw;
    unbuilt = {error.what(), true, {}};
  }
  unbuilt_.emplace(name, std::move(unbuilt));
  return nullptr;
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
  const kernels::Kernel* const kernel = kernels_.get(scope_.kernel_variant + name, build);
  if (kernel != nullptr) tasks_.add(*kernel, name, on_device, scalars);
}

model::GmAddress StageContext::address_of(const std::string& tensor) const {
  return tensors_.get(tasks_.card(), device_name(tensor)).address;
}

}  // namespace npu::orch
