#include "orchestration/host/kernel_store.hpp"

#include "isa/errors.hpp"

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

void KernelStore::state_rows(const std::string& name, std::string_view argument, isa::Bytes size) {
  for (isa::ArgInfo& info : kernels_.at(name).object.args) {
    if (info.name != argument || info.cols == 0 || info.rows != 0) continue;
    info.rows = static_cast<std::uint32_t>(size.count() / (std::uint64_t{info.cols} * isa::size_of(info.dtype)));
  }
}

}  // namespace npu::orch
