#include "orchestration/host/kernel_store.hpp"

#include <vector>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"

namespace npu::orch {

kernels::Kernel KernelStore::chosen(const std::string& name, const Build& build) {
  kernels::PlanChoice choice;
  for (const std::string& key : {std::string{}, name}) {
    const auto found = options_.plans.find(key);
    if (found != options_.plans.end()) choice.insert(found->second.begin(), found->second.end());
  }
  try {
    return build(choice);
  } catch (const ConfigError& error) {
    if (!options_.plans.contains("")) throw;
    unnamed_error_ = error.what();  // said when all kernels are known: it may not be the only one
    return build({});
  }
}

const kernels::Kernel* KernelStore::get(const std::string& variant, const std::string& name, const Build& build) {
  const std::string key = variant + name;
  if (const auto it = kernels_.find(key); it != kernels_.end()) return &it->second;
  if (unbuilt_.contains(key)) return nullptr;
  UnbuiltKernel unbuilt;
  try {
    const kernels::Kernel& kernel = kernels_.emplace(key, chosen(name, build)).first->second;
    planned_[name] = !kernel.plan.empty();
    return &kernel;
  } catch (const isa::CapacityError& error) {
    if (options_.unbuildable == KernelOptions::Unbuildable::Refuse) throw;
    unbuilt = {error.what(), false, error.memory_map};
  } catch (const ProgramError& error) {
    if (options_.unbuildable == KernelOptions::Unbuildable::Refuse) throw;
    unbuilt = {error.what(), false, {}};
  } catch (const ConfigError& error) {
    if (options_.unbuildable == KernelOptions::Unbuildable::Refuse) throw;
    unbuilt = {error.what(), true, {}};
  }
  planned_[name] = true;  // it may have numbers to choose; why it cannot be built is said instead
  unbuilt_.emplace(key, std::move(unbuilt));
  return nullptr;
}

void KernelStore::state_rows(const std::string& name, std::string_view argument, isa::Bytes size) {
  for (isa::ArgInfo& info : kernels_.at(name).object.args) {
    if (info.name != argument || info.cols == 0 || info.rows != 0) continue;
    info.rows = static_cast<std::uint32_t>(size.count() / (std::uint64_t{info.cols} * isa::size_of(info.dtype)));
  }
}

void KernelStore::refuse_unused_choices() const {
  std::vector<std::string_view> names;
  for (const auto& [name, planned] : planned_) names.push_back(name);
  for (const auto& [kernel, choice] : options_.plans) {
    const std::string& field = choice.begin()->first;
    if (kernel.empty()) {
      if (planned_.size() == 1 && unnamed_error_.empty()) continue;
      if (planned_.size() == 1) throw ConfigError{unnamed_error_};
      throw config_error("--tile {}: {} kernels run; say whose field it is: --tile KERNEL.FIELD=VALUE", field,
                         planned_.size());
    }
    const auto found = planned_.find(kernel);
    if (found == planned_.end()) {
      throw config_error("--tile {}.{}: no kernel of this run is called so; nearest is {}; npusim fit shows them",
                         kernel, field, isa::nearest_name(kernel, names));
    }
    if (!found->second) throw config_error("--tile {}.{}: kernel {} has no numbers to choose", kernel, field, kernel);
  }
}

}  // namespace npu::orch
