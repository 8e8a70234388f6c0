// The layer program of every layer of every preset: which stages it has, and that its kernels build.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

#include "orchestration/data/presets.hpp"
#include "orchestration/host/device_tensors.hpp"
#include "orchestration/host/stage_context.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;

/// Names of the kernels of one card.
std::set<std::string> build(model::System& system, const model::Machine& machine, const kernels::LayerConfig& config) {
  constexpr std::uint32_t kCard = 0;
  DeviceTensors tensors{system, config, kCard + 1};
  TaskList tasks{tensors, kCard};
  KernelStore kernels;
  StageContext context{config, machine.arch, kernels, tensors, tasks};
  for (const auto stage : find_workload("decode-layer").stages) stage(context);
  std::set<std::string> names;
  for (const auto& [name, kernel] : kernels.all()) names.insert(name);
  return names;
}

TEST_CASE("the kernels of every layer of every preset build") {
  const model::Machine machine = model::load_machine("a2a3", {});
  // Memory that nobody touches costs nothing, but the tensors of all presets share the card's HBM.
  model::System system{machine, {.cards = 1, .start_skew_us = {}}};
  for (const std::string_view name : preset_names()) {
    kernels::LayerConfig config = preset(name);
    std::set<std::pair<AttentionKind, bool>> built;
    for (config.layer_id = 0; config.layer_id < config.layers; ++config.layer_id) {
      const AttentionKind kind = attention_kind(config);
      // Nothing else of a layer's program depends on its number.
      if (!built.emplace(kind, config.hash_routing()).second) continue;
      INFO(name << " layer " << config.layer_id);
      const auto kernels = build(system, machine, config);
      CHECK(kernels.contains("hca_cmp_pool") == (kind == AttentionKind::Hca));
      for (const char* kernel : {"csa_cmp_pool", "csa_inner_pool", "indexer_topk"}) {
        CHECK(kernels.contains(kernel) == (kind == AttentionKind::Csa));
      }
      CHECK(kernels.contains("index_list_" + std::string{name_of(kind)}));
      CHECK(kernels.contains("dispatch"));
    }
    CHECK(built.size() >= (config.hash_layers == 0 ? 3U : 4U));
  }
}

}  // namespace
}  // namespace npu::orch
