#include "model/system/task_graph.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "model/system/runtime_errors.hpp"

namespace npu::model {
namespace {

void sort_unique(std::vector<std::uint32_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

[[nodiscard]] Region region_of(const TensorArg& tensor) {
  const auto begin = static_cast<std::uint64_t>(tensor.address);
  return {begin, begin + tensor.size.count()};
}
[[nodiscard]] bool writes(Direction d) { return d == Direction::Out || d == Direction::InOut; }
[[nodiscard]] bool tracked(Direction d) { return d != Direction::NoDep; }

}  // namespace

void TaskGraph::check(const TaskSpec& spec) const {
  if (spec.kernel == nullptr || (!spec.kernel->cube && !spec.kernel->vector)) {
    throw runtime_error(kInvalidArgs, "task '{}' names no kernel with a cube or vector part", spec.name);
  }
  if (spec.blocks == 0) throw runtime_error(kInvalidArgs, "task '{}' has 0 blocks, needs at least 1", spec.name);
  if (spec.tensors.size() > limits_.tensors || spec.scalars.size() > limits_.scalars) {
    throw runtime_error(kInvalidArgs,
                        "task '{}' has {} tensors and {} scalars, limits are {} and {}; pack scalars "
                        "into a tensor or split the kernel",
                        spec.name, spec.tensors.size(), spec.scalars.size(), limits_.tensors, limits_.scalars);
  }
  const auto& args = spec.kernel->args;
  const auto scalars = static_cast<std::size_t>(
      std::count_if(args.begin(), args.end(), [](const isa::ArgInfo& a) { return a.kind == isa::ArgKind::Scalar; }));
  if (spec.tensors.size() != args.size() - scalars || spec.scalars.size() != scalars) {
    throw runtime_error(kInvalidArgs, "task '{}' passes {} tensors and {} scalars, kernel '{}' takes {} and {}",
                        spec.name, spec.tensors.size(), spec.scalars.size(), spec.kernel->name, args.size() - scalars,
                        scalars);
  }
  std::size_t tensor = 0;
  for (const isa::ArgInfo& arg : args) {
    if (arg.kind == isa::ArgKind::Scalar) continue;
    if (arg.kind != isa::ArgKind::In && spec.tensors[tensor].direction == Direction::In) {
      throw runtime_error(kInvalidArgs,
                          "task '{}' passes tensor {} ('{}') as In, but kernel '{}' writes it; pass it "
                          "as Out, InOut or NoDep",
                          spec.name, tensor, arg.name, spec.kernel->name);
    }
    ++tensor;
  }
  for (const TaskId id : spec.after) {
    if (static_cast<std::uint32_t>(id) >= tasks_.size()) {
      throw runtime_error(kInvalidArgs, "task '{}' is to run after task {}, but only {} tasks have been submitted",
                          spec.name, static_cast<std::uint32_t>(id), tasks_.size());
    }
  }
}

std::vector<std::uint32_t> TaskGraph::find_producers(const TaskSpec& spec) const {
  std::vector<std::uint32_t> producers;
  for (const TensorArg& tensor : spec.tensors) {
    if (!tracked(tensor.direction)) continue;
    const Region region = region_of(tensor);
    writers_.collect(region.begin, region.end, producers);
  }
  for (const TaskId id : spec.after) {
    const auto producer = static_cast<std::uint32_t>(id);
    if (tasks_[producer].state < TaskState::Completed) producers.push_back(producer);
  }
  sort_unique(producers);
  return producers;
}

TaskId TaskGraph::submit(const TaskSpec& spec) {
  NPU_ASSERT(has_slot(), "submit without a free slot in the task window");
  check(spec);
  std::vector<std::uint32_t> producers = find_producers(spec);
  const auto edges = static_cast<std::uint32_t>(producers.size());
  const std::uint32_t spilled = edges > limits_.inline_producers ? edges - limits_.inline_producers : 0;
  if (pool_used_ + edges + spilled > limits_.dependency_pool) {
    throw runtime_error(kDepPoolOverflow,
                        "task '{}' needs {} dependency entries, {} of {} are in use; submit fewer "
                        "tasks ahead, or join producers through one task",
                        spec.name, edges + spilled, pool_used_, limits_.dependency_pool);
  }

  const std::uint32_t id = size();
  Task& task = tasks_.emplace_back();
  task.kernel = spec.kernel;
  task.name = spec.name;
  task.blocks = spec.blocks;
  task.sync_start = spec.sync_start;
  auto tensor = spec.tensors.begin();
  auto scalar = spec.scalars.begin();
  for (const isa::ArgInfo& arg : spec.kernel->args) {
    task.args.push_back(arg.kind == isa::ArgKind::Scalar ? *scalar++ : static_cast<std::int64_t>((tensor++)->address));
  }
  for (const TensorArg& t : spec.tensors) {
    if (!writes(t.direction)) continue;
    const Region region = region_of(t);
    writers_.assign(region.begin, region.end, id);
    task.writes.push_back(region);
  }
  if (writers_.size() > limits_.tensor_map) {
    throw runtime_error(kTensorMapOverflow,
                        "task '{}' is the writer of the region that exceeds the tensor map's {} "
                        "entries; write larger contiguous regions",
                        spec.name, limits_.tensor_map);
  }
  for (const std::uint32_t p : producers) {
    tasks_[p].successors.push_back(id);
    ++tasks_[p].open_consumers;
  }
  task.producers = std::move(producers);
  task.missing_producers = edges;
  task.pool_entries = edges + spilled;
  pool_used_ += task.pool_entries;
  task.state = edges == 0 ? TaskState::Ready : TaskState::Pending;
  ++live_;
  return TaskId{id};
}

void TaskGraph::mark_running(std::uint32_t id) {
  NPU_ASSERT(tasks_[id].state == TaskState::Ready, "only a ready task can start");
  tasks_[id].state = TaskState::Running;
}

void TaskGraph::complete(std::uint32_t id, std::vector<std::uint32_t>& ready) {
  Task& task = tasks_[id];
  NPU_ASSERT(task.state == TaskState::Running, "only a running task can complete");
  task.state = TaskState::Completed;
  --live_;
  for (const Region& region : task.writes) writers_.retire(region.begin, region.end, id);
  for (const std::uint32_t s : task.successors) {
    Task& successor = tasks_[s];
    if (--successor.missing_producers > 0) continue;
    successor.state = TaskState::Ready;
    pool_used_ -= successor.pool_entries;
    successor.pool_entries = 0;
    ready.push_back(s);
  }
  for (const std::uint32_t p : task.producers) {
    --tasks_[p].open_consumers;
    consume_if_done(tasks_[p]);
  }
  consume_if_done(task);
  while (head_ < tasks_.size() && tasks_[head_].state == TaskState::Consumed) ++head_;
}

void TaskGraph::consume_if_done(Task& task) {
  if (task.state == TaskState::Completed && task.open_consumers == 0) task.state = TaskState::Consumed;
}

std::vector<std::uint32_t> TaskGraph::live_writers(GmAddress address, std::uint64_t bytes) const {
  std::vector<std::uint32_t> found;
  const auto begin = static_cast<std::uint64_t>(address);
  writers_.collect(begin, begin + bytes, found);
  sort_unique(found);
  return found;
}

std::vector<std::uint32_t> TaskGraph::missing(std::uint32_t id) const {
  std::vector<std::uint32_t> found;
  for (const std::uint32_t p : tasks_[id].producers) {
    if (tasks_[p].state < TaskState::Completed) found.push_back(p);
  }
  return found;
}

void TaskGraph::clear() {
  tasks_.clear();
  writers_.clear();
  head_ = live_ = pool_used_ = 0;
}

}  // namespace npu::model
