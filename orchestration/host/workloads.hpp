// The workloads of a layer (cli.md section 3): which stages they run and what is compared by which rule.
#pragma once

#include <optional>
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
  std::string_view scores = {};  ///< what a ranking ranks by, in place of the rule (compare_ranking)
};

struct Workload {
  std::string_view name;
  std::string_view summary;
  std::vector<void (*)(StageContext&)> stages;
  std::vector<OutputRule> outputs;  ///< in the order of the report; those that the layer's kind has are compared
  std::optional<kernels::AttentionKind> kind = {};  ///< of the only layers that it runs on; none: all
};

[[nodiscard]] std::span<const Workload> workloads();
/// The entry of this name, which exists.
[[nodiscard]] const Workload& find_workload(std::string_view name);
/// ConfigError where the workload belongs to another attention kind than the layer's, naming the layers that work.
void require_attention_kind(const Workload& workload, const kernels::LayerConfig& config);

}  // namespace npu::orch
