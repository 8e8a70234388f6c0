// One kernel with tensors of its own, once on every card: program files of users, and kernels that measure the card.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/experiment/family.hpp"
#include "orchestration/host/kernel_program.hpp"

namespace npu::orch {

/// A family says which kernel and which values.
class KernelExperiment : public Experiment {
 public:
  KernelExperiment(Request request, const model::Machine& machine, std::uint32_t cards)
      : request_{std::move(request)}, machine_{machine}, cards_{cards} {}

  [[nodiscard]] std::uint32_t cards() const override { return cards_; }
  void build(const model::SystemOptions& options, Purpose purpose) override;
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& kernels() const override { return kernels_; }
  [[nodiscard]] const std::map<std::string, UnbuiltKernel>& unbuilt() const override { return unbuilt_; }
  [[nodiscard]] std::size_t task_count() const override { return cards_; }
  void load() override {}
  void run() override { program_->run(); }
  [[nodiscard]] model::RunStats stats() const override { return program_->stats(); }
  [[nodiscard]] std::vector<Comparison> compare() override { return program_->compare(); }
  /// actual.safetensors: in.NAME and out.NAME of every tensor (kernel_case.hpp).
  void save(const std::filesystem::path& directory) override;

 protected:
  [[nodiscard]] virtual kernels::Kernel make_kernel(Purpose purpose) = 0;
  /// Of all arguments, in their order, with what is expected where somebody knows.
  [[nodiscard]] virtual std::vector<KernelValue> make_values(const kernels::Kernel& kernel) = 0;

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const model::Machine& machine() const { return machine_; }
  [[nodiscard]] const kernels::Kernel& kernel() const { return kernels_.begin()->second; }
  /// Tensors after the run, by argument and card; empty for scalars and workspaces.
  [[nodiscard]] std::vector<std::vector<Tensor>> results() { return program_->results(); }

 private:
  Request request_;
  const model::Machine& machine_;
  std::uint32_t cards_;
  std::map<std::string, kernels::Kernel> kernels_;  ///< the one
  std::map<std::string, UnbuiltKernel> unbuilt_;    ///< or why there is none
  std::optional<KernelProgram> program_;
};

}  // namespace npu::orch
