// `list`: the names that other commands take.
#include <nlohmann/json.hpp>

#include "orchestration/calibration/workload.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::cli {
namespace {

struct Entry {
  std::string_view name;
  std::string summary;
};
struct Section {
  const char* name;
  std::vector<Entry> entries;
};

std::vector<Section> sections() {
  Section workloads{"workloads", {}}, presets{"presets", {}};
  for (const orch::Workload& workload : orch::workloads()) {
    workloads.entries.push_back({workload.name, std::string{workload.summary}});
  }
  for (const orch::CalibrationWorkload& workload : orch::calibration_workloads()) {
    workloads.entries.push_back({workload.name, std::string{workload.summary}});
  }
  for (const std::string_view name : orch::preset_names()) {
    const orch::Preset preset = orch::read_preset(name);
    const auto& c = preset.config;
    const std::string position = preset.start_pos ? fmt::format(" from position {}", *preset.start_pos) : std::string{};
    presets.entries.push_back(
        {name, fmt::format("{} layers, hidden {}, {} heads x {}, {} experts on {} ranks, batch {} x {}{}", c.layers,
                           c.hidden, c.heads, c.head_dim, c.experts, c.ranks, c.batch, c.seq, position)});
  }
  return {std::move(workloads),
          std::move(presets),
          {"platforms", {{"a2a3", "one card: 24 cube and 48 vector cores; alias a2a3sim"}}},
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
