#include "orchestration/experiment/kernel_experiment.hpp"

namespace npu::orch {

void KernelExperiment::build(const model::SystemOptions& options, Purpose purpose) {
  kernels::Kernel made = make_kernel(purpose);
  const kernels::Kernel& kernel = kernels_.emplace(made.object.name, std::move(made)).first->second;
  if (purpose != Purpose::Run) return;
  program_.emplace(kernel.object, make_values(kernel), machine_, options);
}

void KernelExperiment::save(const std::filesystem::path& directory) {
  save_kernel_values((directory / "actual.safetensors").string(), kernel().object, program_->values(), results());
}

}  // namespace npu::orch
