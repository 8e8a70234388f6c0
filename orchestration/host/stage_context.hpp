// What a stage of the layer is built with: dimensions, kernels, tensors and tasks of one card.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "isa/arch_spec.hpp"
#include "kernels/common/layer_config.hpp"
#include "orchestration/host/device_tensors.hpp"
#include "orchestration/host/kernel_store.hpp"
#include "orchestration/host/task_list.hpp"

namespace npu::orch {

/// Where a layer stands among the layers of a run. The default is a layer alone.
struct LayerScope {
  std::int64_t epoch = 0;      ///< exchanges over the windows before this layer's
  std::string kernel_variant;  ///< layers whose kernels differ under the same names have different variants
  std::function<std::string(const std::string&)> device_name;  ///< of a tensor of the stages; empty: the same name
};

class StageContext {
 public:
  StageContext(const kernels::LayerConfig& layer_config, const isa::ArchSpec& arch_spec, KernelStore& kernels,
               DeviceTensors& tensors, TaskList& tasks, LayerScope scope = {})
      : config{layer_config},
        arch{arch_spec},
        kernels_{kernels},
        tensors_{tensors},
        tasks_{tasks},
        scope_{std::move(scope)} {}

  const kernels::LayerConfig& config;
  const isa::ArchSpec& arch;

  /// A tensor that no file knows: what passes between the kernels of a stage.
  void scratch(const std::string& name, isa::DType dtype, Shape shape);
  /// Adds a task named like its kernel, unless that is one that cannot be built and is kept. Bound tensors of the
  /// tensor table are allocated at their first use. `build` takes what is chosen for the kernel's plan, where the
  /// kernel has one: build(const kernels::PlanChoice&).
  template <class Build>
  void task(const std::string& name, const Build& build, const Bindings& bindings, const ScalarBindings& scalars = {}) {
    if constexpr (std::is_invocable_v<const Build&, const kernels::PlanChoice&>) {
      add_task(name, build, bindings, scalars);
    } else {
      add_task(
          name, [&](const kernels::PlanChoice&) { return build(); }, bindings, scalars);
    }
  }
  void check(std::function<void(model::OrchestratorApi&)> check) { tasks_.add_check(std::move(check)); }
  [[nodiscard]] model::GmAddress address_of(const std::string& tensor) const;
  [[nodiscard]] std::int64_t epoch() const { return scope_.epoch; }

 private:
  void add_task(const std::string& name, const KernelStore::Build& build, const Bindings& bindings,
                const ScalarBindings& scalars);
  [[nodiscard]] std::string device_name(const std::string& tensor) const {
    return scope_.device_name ? scope_.device_name(tensor) : tensor;
  }

  KernelStore& kernels_;
  DeviceTensors& tensors_;
  TaskList& tasks_;
  LayerScope scope_;
};

}  // namespace npu::orch
