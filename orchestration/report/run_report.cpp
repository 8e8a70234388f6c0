#include <fmt/format.h>

#include <algorithm>

#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/safetensors.hpp"
#include "orchestration/report/card_figures.hpp"
#include "orchestration/report/comparison_text.hpp"
#include "orchestration/report/summary.hpp"

namespace npu::orch {

Verdict verdict_of(const std::vector<Comparison>& outputs) {
  if (std::any_of(outputs.begin(), outputs.end(), [](const Comparison& c) { return !c.pass; })) return Verdict::Fail;
  return compared_outputs(outputs) == 0 ? Verdict::Skipped : Verdict::Pass;
}

double effective_us(const RunReport& report) {
  return model::us_of_cycles(report.machine->params, effective_cycles(report.stats));
}

std::string config_digest(const RunReport& report) {
  Metadata metadata;
  if (report.config) add_config(metadata, *report.config);
  std::string text = model::effective_toml(*report.machine);
  for (const auto& [key, value] : metadata) text += key + "=" + value + "\n";
  for (const std::string& tile : report.tiles) text += "tile=" + tile + "\n";
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

}  // namespace npu::orch
