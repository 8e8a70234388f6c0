// What a stage of the layer is built with: dimensions, kernels, tensors and tasks of one card.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"
#include "orchestration/host/device_tensors.hpp"
#include "orchestration/host/task_list.hpp"

namespace npu::orch {

/// Kernels by name; every card runs the same object. References stay valid.
class KernelStore {
 public:
  enum class Oversized : std::uint8_t { Refuse, Measure };
  /// Measure: a kernel whose tiles do not fit is kept with its memory map and without code, so that the others can be
  /// measured too. Nothing may run.
  explicit KernelStore(Oversized oversized = Oversized::Refuse) : oversized_{oversized} {}

  const kernels::Kernel& get(const std::string& name, const std::function<kernels::Kernel()>& build);
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& all() const { return kernels_; }

 private:
  Oversized oversized_;
  std::map<std::string, kernels::Kernel> kernels_;
};

class StageContext {
 public:
  StageContext(const kernels::LayerConfig& layer_config, const isa::ArchSpec& arch_spec, KernelStore& kernels,
               DeviceTensors& tensors, TaskList& tasks)
      : config{layer_config}, arch{arch_spec}, kernels_{kernels}, tensors_{tensors}, tasks_{tasks} {}

  const kernels::LayerConfig& config;
  const isa::ArchSpec& arch;

  /// A tensor that no file knows: what passes between the kernels of a stage.
  void scratch(const std::string& name, isa::DType dtype, Shape shape);
  /// Adds a task named like its kernel. Bound tensors of the tensor table are allocated at their first use.
  TaskRef task(const std::string& name, const std::function<kernels::Kernel()>& build, const Bindings& bindings,
               const std::vector<TaskRef>& after = {});
  void check(std::function<void(model::OrchestratorApi&)> check) { tasks_.add_check(std::move(check)); }
  [[nodiscard]] model::GmAddress address_of(std::string_view tensor) const;

  /// The task that reads the ring; the write-back comes after it (write-after-read is not derived, S7.6).
  std::vector<TaskRef> ring_readers;
  /// Tasks that have read a latent query which a later stage replaces (the qkv workload alone).
  std::vector<TaskRef> latent_readers;

 private:
  KernelStore& kernels_;
  DeviceTensors& tensors_;
  TaskList& tasks_;
};

}  // namespace npu::orch
