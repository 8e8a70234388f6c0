// Runs programs given as text, one task each, on every card of a system. One bench per process (SystemC).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/text/assembler.hpp"
#include "model/device.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu::test {

[[nodiscard]] inline model::SystemOptions one_card(traces::Sink* sink = nullptr) {
  model::SystemOptions options;
  options.cards = 1;
  options.sink = sink;
  return options;
}

class ProgramBench {
 public:
  /// Each argument that is a tensor has `tensor_bytes` bytes of its own.
  explicit ProgramBench(const std::vector<std::string_view>& texts, model::SystemOptions options = one_card(),
                        const model::Machine& machine = test_machine(), std::uint64_t tensor_bytes = 4096)
      : options_{std::move(options)}, system_{machine, options_}, tensors_(options_.cards) {
    for (const std::string_view text : texts) objects_.push_back(isa::assemble(text, "probe.npu", machine.arch));
    for (std::uint32_t card = 0; card < options_.cards; ++card) {
      for (const isa::KernelObject& object : objects_) {
        auto& tensors = tensors_[card].emplace_back();
        for (const isa::ArgInfo& arg : object.args) {
          if (arg.kind == isa::ArgKind::Scalar) continue;
          const model::Bytes size{tensor_bytes};
          tensors.push_back({system_.allocate(card, size, arg.name), size, model::Direction::InOut});
        }
      }
    }
  }

  /// Each program gets these scalars and runs `blocks` blocks. Throws what the run throws.
  void run(const std::vector<std::int64_t>& scalars = {}, std::uint32_t blocks = 1) {
    const model::CardProgram submit_all = [&](model::OrchestratorApi& api) {
      for (std::size_t i = 0; i < objects_.size(); ++i) {
        model::TaskSpec task;
        task.kernel = &objects_[i];
        task.name = objects_[i].name;
        task.blocks = blocks;
        task.tensors = tensors_[api.card()][i];
        task.scalars = scalars;
        api.submit(task);
      }
    };
    system_.run(std::vector(options_.cards, submit_all), model::Bytes{}, model::Bytes{});
  }
  /// Text of the Error that run() ends with.
  template <class Error>
  [[nodiscard]] std::string message(const std::vector<std::int64_t>& scalars = {}, std::uint32_t blocks = 1) {
    try {
      run(scalars, blocks);
    } catch (const Error& error) {
      return error.what();
    }
    return "the run has come to its end";
  }
  [[nodiscard]] model::System& system() { return system_; }
  /// Address of a tensor of the first program.
  [[nodiscard]] model::GmAddress tensor(std::size_t index, std::uint32_t card = 0) const {
    return tensors_.at(card).at(0).at(index).address;
  }

 private:
  model::SystemOptions options_;
  model::System system_;
  std::vector<isa::KernelObject> objects_;
  std::vector<std::vector<std::vector<model::TensorArg>>> tensors_;  ///< by card and program
};

}  // namespace npu::test
