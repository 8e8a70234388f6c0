#include "sim_tests/support/kernel_bench.hpp"

#include <utility>

#include "isa/errors.hpp"

namespace npu::test {

KernelBench::KernelBench(std::uint32_t cards, traces::Sink* sink, std::vector<double> start_skew_us)
    : KernelBench{model::load_machine("a2a3", {}), cards, sink, std::move(start_skew_us)} {}

KernelBench::KernelBench(const model::Machine& machine, std::uint32_t cards, traces::Sink* sink,
                         std::vector<double> start_skew_us, model::Mode mode, std::vector<model::Observer*> observers)
    : machine_{machine},
      system_{machine_,
              {.cards = cards,
               .mode = mode,
               .ideal_scheduler = false,
               .start_skew_us = std::move(start_skew_us),
               .sink = sink,
               .observers = std::move(observers)}},
      tensors_(cards) {}

model::TaskSpec KernelBench::task_of(const Launch& launch, std::uint32_t card) {
  const kernels::Kernel& kernel = *launch.kernel;
  model::TaskSpec task;
  task.kernel = &kernel.object;
  task.name = kernel.object.name;
  task.blocks = kernel.object.blocks;
  task.sync_start = kernel.object.sync_start;
  for (const isa::ArgInfo& arg : kernel.object.args) {
    if (arg.kind == isa::ArgKind::Scalar) {
      task.scalars.push_back(launch.scalars.at(arg.name));
      continue;
    }
    if (arg.kind == isa::ArgKind::Workspace) bind<std::byte>(arg.name, std::vector<std::byte>(arg.bytes()), card);
    auto found = tensors_[card].find(launch.scope + arg.name);
    if (found == tensors_[card].end()) found = tensors_[card].find(arg.name);
    if (found == tensors_[card].end()) throw ConfigError{"argument " + arg.name + " is not bound"};
    const model::Direction direction = arg.kind == isa::ArgKind::In    ? model::Direction::In
                                       : arg.kind == isa::ArgKind::Out ? model::Direction::Out
                                                                       : model::Direction::InOut;
    task.tensors.push_back({found->second.address, found->second.size, direction});
  }
  return task;
}

void KernelBench::run(const std::vector<Launch>& launches) {
  std::vector<model::CardProgram> programs;
  for (std::uint32_t card = 0; card < tensors_.size(); ++card) {
    std::vector<model::TaskSpec> tasks;
    for (const Launch& launch : launches) tasks.push_back(task_of(launch, card));
    programs.push_back([tasks](model::OrchestratorApi& api) {
      std::vector<model::TaskId> before;
      for (model::TaskSpec task : tasks) {
        task.after = before;
        before = {api.submit(task)};
      }
    });
  }
  system_.run(programs, model::Bytes{}, model::Bytes{});
}

double KernelBench::task_us() const {
  const model::RunStats run = stats();
  return model::us_of_cycles(machine_.params, run.tasks.at(0).end - run.tasks.at(0).begin);
}

}  // namespace npu::test
