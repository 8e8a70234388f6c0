// One workload on the simulated system: kernels, tensors and tasks of every card, the run, and its results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/data/compare.hpp"
#include "orchestration/data/layer_case.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::orch {

/// Builds in the constructor: after it everything is verified and allocated. One per process (model::System).
class LayerProgram {
 public:
  /// One card per rank; kernels that cannot be built are kept only where the program will not run. Throws ConfigError
  /// (HBM full) and ProgramError (a kernel does not fit the card).
  LayerProgram(const Workload& workload, const kernels::LayerConfig& config, const model::Machine& machine,
               const model::SystemOptions& options, KernelOptions kernels = {});
  LayerProgram(const LayerProgram&) = delete;
  LayerProgram& operator=(const LayerProgram&) = delete;

  /// Tensors that the tasks read before one of them writes: what the case must provide, in order of first use. In
  /// timing mode only integers that can steer a program.
  [[nodiscard]] const std::vector<std::string>& initial_tensors() const { return initial_; }
  /// Whether an initial tensor is a result of an earlier stage, so that inputs alone do not suffice.
  [[nodiscard]] bool needs_intermediates() const;

  /// Fills the initial tensors from a case that holds them.
  void load(const LayerCase& layer);
  /// Throws ProgramError, Deadlock, ConfigError.
  void run();
  [[nodiscard]] model::RunStats stats() const { return system_.stats(); }

  /// The workload's outputs against the case; those that the case does not expect are left out.
  [[nodiscard]] std::vector<Comparison> compare(const LayerCase& layer) const;
  /// Every result of the tensor table that a task wrote, by name, one per rank.
  [[nodiscard]] LayerCase::ByName<std::vector<Tensor>> results() const;

  [[nodiscard]] const KernelStore& kernels() const { return kernels_; }
  [[nodiscard]] std::size_t task_count() const;

 private:
  [[nodiscard]] std::vector<Tensor> read_ranks(std::string_view name) const;

  /// The workload's outputs that a layer of this kind has.
  [[nodiscard]] std::vector<OutputRule> outputs() const;

  const Workload& workload_;
  kernels::LayerConfig config_;
  isa::ArchSpec arch_;
  model::System system_;
  DeviceTensors tensors_;
  KernelStore kernels_;
  std::vector<TaskList> lists_;       ///< one per card
  std::vector<std::string> initial_;  ///< of every card
  std::vector<std::string> written_;
  std::vector<std::string> given_;  ///< timing mode: results that the host provides
  std::uint64_t upload_bytes_ = 0, download_bytes_ = 0;
};

}  // namespace npu::orch
