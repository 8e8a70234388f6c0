// What a card's orchestrator thread will do: tasks in submission order, and reads that decide whether to go on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/common/kernel.hpp"
#include "model/device.hpp"
#include "orchestration/host/device_tensors.hpp"

namespace npu::orch {

struct Binding {
  std::string_view argument;  ///< of the kernel
  std::string tensor;         ///< of the device
};
using Bindings = std::vector<Binding>;
struct ScalarBinding {
  std::string_view argument;
  std::int64_t value;
};
using ScalarBindings = std::vector<ScalarBinding>;

class TaskList {
 public:
  TaskList(DeviceTensors& tensors, std::uint32_t card) : tensors_{tensors}, card_{card} {}

  /// One task over the whole bound tensors. The kernel outlives the list; its workspace, if it has one, is allocated
  /// here. Every argument of the kernel is bound exactly once. A task that writes a tensor comes after the tasks of the
  /// list that read what it held: the runtime does not derive a write after reads (runtime.md 1.5). `after` names
  /// further dependencies.
  void add(const kernels::Kernel& kernel, const std::string& task_name, const Bindings& bindings,
           const ScalarBindings& scalars = {});
  /// A step that may read values of earlier tasks, and throw.
  void add_check(std::function<void(model::OrchestratorApi&)> check);

  /// Runs the list in the card's orchestrator.
  void run(model::OrchestratorApi& api) const;

  struct Task {
    const kernels::Kernel* kernel;
    model::TaskSpec spec;
    std::vector<std::string> tensor_names;  ///< one per tensor argument
    std::vector<std::uint32_t> after;       ///< positions in the list
  };
  [[nodiscard]] std::vector<const Task*> tasks() const;
  [[nodiscard]] std::uint32_t card() const { return card_; }

 private:
  using Check = std::function<void(model::OrchestratorApi&)>;

  /// Makes a task come after the readers of what it overwrites, and notes what it reads itself.
  void order_after_readers(Task& task);

  DeviceTensors& tensors_;
  std::uint32_t card_;
  std::uint32_t count_ = 0;
  std::vector<std::variant<Task, Check>> steps_;
  std::map<std::string, std::vector<std::uint32_t>> readers_;  ///< of a tensor since it was written last
};

}  // namespace npu::orch
