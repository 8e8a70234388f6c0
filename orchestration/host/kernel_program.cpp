#include "orchestration/host/kernel_program.hpp"

#include <cstring>

namespace npu::orch {

using isa::ArgKind;

namespace {

/// Floats and quantised data are no control data (README, "Modes").
bool steers(isa::DType dtype) {
  return dtype == isa::DType::I16 || dtype == isa::DType::I32 || dtype == isa::DType::I64;
}

}  // namespace

KernelProgram::KernelProgram(const isa::KernelObject& kernel, std::vector<KernelValue> values,
                             const model::Machine& machine, const model::SystemOptions& options)
    : kernel_{kernel},
      values_{std::move(values)},
      cards_{options.cards},
      mode_{options.mode},
      system_{machine, options},
      addresses_(kernel.args.size()) {
  for (std::uint32_t card = 0; card < cards_; ++card) {
    tasks_.push_back(bind_task(kernel, kernel.name,
                               {.tensor = [&](std::size_t i) { return allocate(card, i); },
                                .scalar = [&](std::size_t i) { return values_[i].scalar; },
                                .workspace =
                                    [&](std::size_t i) {
                                      const isa::Bytes size{kernel.args[i].bytes()};
                                      return BoundTensor{system_.allocate(card, size, kernel.args[i].name), size};
                                    }}));
  }
}

BoundTensor KernelProgram::allocate(std::uint32_t card, std::size_t argument) {
  const isa::ArgInfo& info = kernel_.args[argument];
  const auto from = values_[argument].tensors[card].bytes();
  const isa::Bytes size{from.size()};
  const model::GmAddress address = system_.allocate(card, size, info.name);
  if (mode_ != model::Mode::Timing || steers(info.dtype)) copy_differences(system_.bytes(address, size), from);
  if (info.kind == ArgKind::In) system_.protect(address);
  addresses_[argument].push_back(address);
  if (info.kind != ArgKind::Out) upload_bytes_ += from.size();
  if (info.kind != ArgKind::In) download_bytes_ += from.size();
  return {address, size};
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
