// `list`: the names that other commands take.
#include <nlohmann/json.hpp>

#include "model/config/machine.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/experiment/family.hpp"

namespace npu::cli {
namespace {

struct Entry {
  std::string name;
  std::string summary;
};
struct Section {
  const char* name;
  std::vector<Entry> entries;
};

std::vector<Section> sections() {
  Section workloads{"workloads", {}}, presets{"presets", {}};
  for (const orch::Family* family : orch::families()) {
    for (const orch::WorkloadName& workload : family->workloads()) {
      workloads.entries.push_back({std::string{workload.name}, std::string{workload.summary}});
    }
  }
  for (const std::string_view name : orch::preset_names()) {
    const orch::Preset preset = orch::read_preset(name);
    const auto& c = preset.config;
    const std::string position = preset.start_pos ? fmt::format(" from position {}", *preset.start_pos) : std::string{};
    presets.entries.push_back(
        {std::string{name},
         fmt::format("{} layers, hidden {}, {} heads x {}, {} experts on {} ranks, batch {} x {}{}", c.layers, c.hidden,
                     c.heads, c.head_dim, c.experts, c.ranks, c.batch, c.seq, position)});
  }
  Section platforms{"platforms", {}};
  for (const std::string& name : model::shipped_platforms()) {
    platforms.entries.push_back({name, model::load_machine(name, {}).about});
  }
  return {std::move(workloads),
          std::move(presets),
          std::move(platforms),
          {"protocols", {{"push-count", "expert exchange by published counts"}}}};
}

}  // namespace

int list(const Options& o) {
  nlohmann::ordered_json json;
  for (const Section& section : sections()) {
    if (!o.json) print(Stream::Out, "{}\n", section.name);
    for (const Entry& entry : section.entries) {
      if (!o.json) print(Stream::Out, "  {:16} {}\n", entry.name, entry.summary);
      json[section.name].push_back({{"name", entry.name}, {"summary", entry.summary}});
    }
  }
  if (o.json) print(Stream::Out, "{}\n", json.dump(2));
  return 0;
}

}  // namespace npu::cli
