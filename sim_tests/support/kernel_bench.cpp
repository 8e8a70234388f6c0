#include "sim_tests/support/kernel_bench.hpp"

#include "isa/errors.hpp"

namespace npu::test {

KernelBench::KernelBench(std::uint32_t cards, traces::Sink* sink)
    : KernelBench{model::load_machine("a2a3", {}), cards, sink} {}

KernelBench::KernelBench(const model::Machine& machine, std::uint32_t cards, traces::Sink* sink, model::Mode mode)
    : machine_{machine},
      system_{machine_, {.cards = cards, .mode = mode, .ideal_scheduler = false, .start_skew_us = {}, .sink = sink}},
      tensors_(cards) {}

void KernelBench::run(const kernels::Kernel& kernel) {
  std::vector<model::CardProgram> programs;
  for (std::uint32_t card = 0; card < tensors_.size(); ++card) {
    model::TaskSpec task;
    task.kernel = &kernel.object;
    task.name = kernel.object.name;
    task.blocks = kernel.blocks;
    for (const isa::ArgInfo& arg : kernel.object.args) {
      if (arg.name == "workspace") bind<std::byte>(arg.name, std::vector<std::byte>(kernel.workspace_bytes), card);
      const auto found = tensors_[card].find(arg.name);
      if (found == tensors_[card].end()) throw ConfigError{"argument " + arg.name + " is not bound"};
      const model::Direction direction = arg.kind == isa::ArgKind::In    ? model::Direction::In
                                         : arg.kind == isa::ArgKind::Out ? model::Direction::Out
                                                                         : model::Direction::InOut;
      task.tensors.push_back({found->second.address, found->second.size, direction});
    }
    programs.push_back([task](model::OrchestratorApi& api) { (void)api.submit(task); });
  }
  system_.run(programs, model::Bytes{}, model::Bytes{});
}

double KernelBench::task_us() const {
  const model::RunStats run = stats();
  return model::us_of_cycles(machine_.params, run.tasks.at(0).end - run.tasks.at(0).begin);
}

}  // namespace npu::test
