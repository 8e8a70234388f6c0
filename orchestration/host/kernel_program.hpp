// One kernel object on the simulated system: its tensors on every card, one task per card, its results.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.hpp"
#include "model/device.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/data/kernel_case.hpp"
#include "orchestration/host/bind_task.hpp"

namespace npu::orch {

/// One per process (model::System). Every card runs the kernel at the same time; equal tensors lie at equal offsets, so
/// that a tensor can be a window.
class KernelProgram {
 public:
  /// The kernel outlives the program. In timing mode only integers that can steer a program are brought to the cards:
  /// the other tensors' bytes are never touched. Throws ConfigError (HBM full).
  KernelProgram(const isa::KernelObject& kernel, std::vector<KernelValue> values, const model::Machine& machine,
                const model::SystemOptions& options);

  /// Throws ProgramError (also where the kernel writes to an input), Deadlock.
  void run();
  [[nodiscard]] model::RunStats stats() const { return system_.stats(); }
  /// Tensors after the run, by argument and card; empty for scalars and workspaces.
  [[nodiscard]] std::vector<std::vector<Tensor>> results();
  /// Expected tensors against results, by the default rule of their type.
  [[nodiscard]] std::vector<Comparison> compare();
  [[nodiscard]] const std::vector<KernelValue>& values() const { return values_; }

 private:
  /// Memory of a tensor argument, filled.
  BoundTensor allocate(std::uint32_t card, std::size_t argument);

  const isa::KernelObject& kernel_;
  std::vector<KernelValue> values_;
  std::uint32_t cards_;
  model::Mode mode_;
  model::System system_;
  std::vector<std::vector<model::GmAddress>> addresses_;  ///< by argument and card
  std::vector<model::TaskSpec> tasks_;                    ///< one per card
  std::uint64_t upload_bytes_ = 0, download_bytes_ = 0;
};

}  // namespace npu::orch
