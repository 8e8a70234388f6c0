#include "orchestration/host/task_list.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "orchestration/host/bind_task.hpp"

namespace npu::orch {
namespace {

/// The binding of an argument, which has one.
template <class T>
const T& binding_of(const std::string& task, const std::string& argument, const std::vector<T>& bindings) {
  const auto found = std::find_if(bindings.begin(), bindings.end(), [&](const T& b) { return b.argument == argument; });
  const std::string message = fmt::format("task {}: argument {} is bound", task, argument);
  NPU_ASSERT(found != bindings.end(), message.c_str());
  return *found;
}

}  // namespace

void TaskList::add(const kernels::Kernel& kernel, const std::string& task_name, const Bindings& bindings,
                   const ScalarBindings& scalars) {
  Task task{.kernel = &kernel, .spec = {}, .tensor_names = {}, .after = {}};
  const auto& arguments = kernel.object.args;
  std::size_t bound = 0;
  const auto use = [&](const DeviceTensor& tensor) {
    task.tensor_names.push_back(tensor.name);
    return BoundTensor{tensor.address, tensor.size};
  };
  task.spec =
      bind_task(kernel.object, task_name,
                {.tensor =
                     [&](std::size_t i) {
                       ++bound;
                       const DeviceTensor& tensor =
                           tensors_.get(card_, binding_of(task_name, arguments[i].name, bindings).tensor);
                       const std::string message =
                           fmt::format("task {}: argument {} is {}, tensor {} is {}", task_name, arguments[i].name,
                                       isa::name_of(arguments[i].dtype), tensor.name, isa::name_of(tensor.dtype));
                       NPU_ASSERT(tensor.dtype == arguments[i].dtype, message.c_str());
                       return use(tensor);
                     },
                 .scalar = [&](std::size_t i) { return binding_of(task_name, arguments[i].name, scalars).value; },
                 .workspace =
                     [&](std::size_t i) {
                       return use(tensors_.add(card_, fmt::format("workspace.{}.{}", count_, task_name), isa::DType::U8,
                                               {arguments[i].bytes()}));
                     }});
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
