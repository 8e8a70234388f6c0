#include "orchestration/host/kernel_program.hpp"

#include <cstring>

namespace npu::orch {
namespace {

using isa::ArgKind;

model::Direction direction_of(ArgKind kind) {
  switch (kind) {
    case ArgKind::In:
      return model::Direction::In;
    case ArgKind::Out:
      return model::Direction::Out;
    case ArgKind::InOut:
    case ArgKind::Scalar:
      break;
  }
  return model::Direction::InOut;
}

/// Floats and quantised data are no control data (README, "Modes").
bool steers(isa::DType dtype) {
  return dtype == isa::DType::I16 || dtype == isa::DType::I32 || dtype == isa::DType::I64;
}

}  // namespace

KernelProgram::KernelProgram(const isa::KernelObject& kernel, std::uint32_t blocks, std::vector<KernelValue> values,
                             const model::Machine& machine, const model::SystemOptions& options, bool sync_start)
    : kernel_{kernel},
      values_{std::move(values)},
      cards_{options.cards},
      system_{machine, options},
      addresses_(kernel.args.size()) {
  for (std::uint32_t card = 0; card < cards_; ++card) {
    model::TaskSpec& task = tasks_.emplace_back();
    task.kernel = &kernel;
    task.name = kernel.name;
    task.blocks = blocks;
    task.sync_start = sync_start;
    for (std::size_t i = 0; i < kernel.args.size(); ++i) {
      if (kernel.args[i].kind == ArgKind::Scalar) {
        task.scalars.push_back(values_[i].scalar);
        continue;
      }
      const auto from = values_[i].tensors[card].bytes();
      const isa::Bytes size{from.size()};
      const model::GmAddress address = system_.allocate(card, size, kernel.args[i].name);
      if (options.mode != model::Mode::Timing || steers(kernel.args[i].dtype)) {
        copy_differences(system_.bytes(address, size), from);
      }
      if (kernel.args[i].kind == ArgKind::In) system_.protect(address);
      addresses_[i].push_back(address);
      task.tensors.push_back({address, size, direction_of(kernel.args[i].kind)});
      if (kernel.args[i].kind != ArgKind::Out) upload_bytes_ += from.size();
      if (kernel.args[i].kind != ArgKind::In) download_bytes_ += from.size();
    }
  }
}

void KernelProgram::run() {
  std::vector<model::CardProgram> programs;
  for (const model::TaskSpec& task : tasks_) {
    programs.push_back([&task](model::OrchestratorApi& api) { static_cast<void>(api.submit(task)); });
  }
  system_.run(programs, isa::Bytes{upload_bytes_}, isa::Bytes{download_bytes_});
}

std::vector<std::vector<Tensor>> KernelProgram::results() {
  std::vector<std::vector<Tensor>> all(kernel_.args.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t card = 0; card < addresses_[i].size(); ++card) {
      const Tensor& before = values_[i].tensors[card];
      Tensor after = Tensor::zeros(kernel_.args[i].name, before.dtype(), before.shape());
      const isa::Bytes size{before.bytes().size()};
      std::memcpy(after.writable_bytes().data(), system_.bytes(addresses_[i][card], size).data(), size.count());
      all[i].push_back(std::move(after));
    }
  }
  return all;
}

std::vector<Comparison> KernelProgram::compare() {
  std::vector<Comparison> outcomes;
  const auto actual = results();
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].expected.empty()) continue;
    outcomes.push_back(compare_ranks(default_rule(kernel_.args[i].dtype), values_[i].expected, actual[i]));
    outcomes.back().name = kernel_.args[i].name;
  }
  return outcomes;
}

}  // namespace npu::orch
