#include "orchestration/experiment/kernel_experiment.hpp"

#include "isa/builder/capacity.hpp"

namespace npu::orch {

void KernelExperiment::build(const model::SystemOptions& options, Purpose purpose) {
  kernels::Kernel made;
  try {
    made = make_kernel(purpose);
  } catch (const isa::CapacityError& error) {
    if (purpose != Purpose::Measure) throw;
    unbuilt_.emplace(request_.workload, UnbuiltKernel{error.what(), false, error.memory_map});
    return;
  }
  const kernels::Kernel& kernel = kernels_.emplace(made.object.name, std::move(made)).first->second;
  if (purpose != Purpose::Run) return;
  program_.emplace(kernel.object, make_values(kernel), machine_, options);
}

void KernelExperiment::save(const std::filesystem::path& directory) {
  save_kernel_values((directory / "actual.safetensors").string(), kernel().object, program_->values(), results());
}

}  // namespace npu::orch
