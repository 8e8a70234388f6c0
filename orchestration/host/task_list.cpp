#include "orchestration/host/task_list.hpp"

#include <algorithm>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kWorkspace = "workspace";

model::Direction direction_of(isa::ArgKind kind) {
  switch (kind) {
    case isa::ArgKind::In:
      return model::Direction::In;
    case isa::ArgKind::Out:
      return model::Direction::Out;
    case isa::ArgKind::InOut:
      return model::Direction::InOut;
    case isa::ArgKind::Scalar:
      break;
  }
  NPU_ASSERT(false, "a scalar has no direction");
  return model::Direction::In;
}

}  // namespace

void TaskList::add(const kernels::Kernel& kernel, std::string task_name, const Bindings& bindings,
                   const ScalarBindings& scalars) {
  Task task{.kernel = &kernel, .spec = {}, .tensor_names = {}, .after = {}};
  task.spec.kernel = &kernel.object;
  task.spec.name = std::move(task_name);
  task.spec.blocks = kernel.blocks;
  task.spec.sync_start = kernel.sync_start;
  std::size_t bound = 0;
  for (const isa::ArgInfo& argument : kernel.object.args) {
    const DeviceTensor* tensor = nullptr;
    if (argument.kind == isa::ArgKind::Scalar) {
      const auto it = std::find_if(scalars.begin(), scalars.end(),
                                   [&](const ScalarBinding& s) { return s.argument == argument.name; });
      NPU_ASSERT(it != scalars.end(), "every scalar argument of the kernel has a value");
      task.spec.scalars.push_back(it->value);
      continue;
    }
    if (argument.name == kWorkspace) {
      NPU_ASSERT(kernel.workspace_bytes > 0, "a kernel with a workspace says how large it is");
      tensor = &tensors_.add(card_, fmt::format("{}.{}.{}", kWorkspace, count_, task.spec.name), isa::DType::U8,
                             {kernel.workspace_bytes});
    } else {
      const auto it =
          std::find_if(bindings.begin(), bindings.end(), [&](const Binding& b) { return b.argument == argument.name; });
      if (it == bindings.end()) {
        const std::string message = fmt::format("task {}: argument {} is not bound", task.spec.name, argument.name);
        assertion_failed("it != bindings.end()", __FILE__, __LINE__, message.c_str());
      }
      ++bound;
      tensor = &tensors_.get(card_, it->tensor);
      const std::string message =
          fmt::format("task {}: argument {} is {}, tensor {} is {}", task.spec.name, argument.name,
                      isa::name_of(argument.dtype), tensor->name, isa::name_of(tensor->dtype));
      NPU_ASSERT(tensor->dtype == argument.dtype, message.c_str());
    }
    task.spec.tensors.push_back({tensor->address, tensor->size, direction_of(argument.kind)});
    task.tensor_names.push_back(tensor->name);
  }
  NPU_ASSERT(bound == bindings.size() && task.spec.scalars.size() == scalars.size(),
             "every binding belongs to an argument of the kernel");
  order_after_readers(task);
  steps_.emplace_back(std::move(task));
  ++count_;
}

void TaskList::order_after_readers(Task& task) {
  for (std::size_t i = 0; i < task.tensor_names.size(); ++i) {
    if (task.spec.tensors[i].direction == model::Direction::In) continue;
    std::vector<std::uint32_t>& readers = readers_[task.tensor_names[i]];
    task.after.insert(task.after.end(), readers.begin(), readers.end());
    readers.clear();
  }
  for (std::size_t i = 0; i < task.tensor_names.size(); ++i) {
    if (task.spec.tensors[i].direction == model::Direction::In) readers_[task.tensor_names[i]].push_back(count_);
  }
}

void TaskList::add_check(std::function<void(model::OrchestratorApi&)> check) { steps_.emplace_back(std::move(check)); }

void TaskList::run(model::OrchestratorApi& api) const {
  std::vector<model::TaskId> submitted;
  for (const auto& step : steps_) {
    if (const auto* check = std::get_if<Check>(&step)) {
      (*check)(api);
      continue;
    }
    const Task& task = std::get<Task>(step);
    model::TaskSpec spec = task.spec;
    for (const std::uint32_t before : task.after) spec.after.push_back(submitted.at(before));
    submitted.push_back(api.submit(spec));
  }
}

std::vector<const TaskList::Task*> TaskList::tasks() const {
  std::vector<const Task*> result;
  for (const auto& step : steps_) {
    if (const auto* task = std::get_if<Task>(&step)) result.push_back(task);
  }
  return result;
}

}  // namespace npu::orch
