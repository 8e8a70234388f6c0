// The workloads of a layer (cli.md section 3): which stages they run and what is compared by which rule.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/host/stage_context.hpp"

namespace npu::orch {

struct OutputRule {
  std::string_view tensor;  ///< of the tensor table
  Rule rule;
};

/// Runs a range of layers (StepProgram), each with the stages and outputs of its entry.
inline constexpr std::string_view kStepWorkload = "decode-step";

struct Workload {
  std::string_view name;
  std::string_view summary;
  std::vector<void (*)(StageContext&)> stages;
  std::vector<OutputRule> outputs;  ///< in the order of the report
  bool window_only = false;         ///< the stages exist for window attention only
};

[[nodiscard]] std::span<const Workload> workloads();
/// ConfigError with the nearest name, or saying that a workload of the contract is not built.
[[nodiscard]] const Workload& find_workload(std::string_view name);
/// ConfigError where the workload's stages do not exist for the layer's attention kind, naming the layers that work.
void require_attention_kind(const Workload& workload, const kernels::LayerConfig& config);

}  // namespace npu::orch
