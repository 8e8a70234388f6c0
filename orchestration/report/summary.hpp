// summary.json (cli.md section 5): what a run was, took and produced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "model/checks/findings.hpp"
#include "model/device.hpp"
#include "orchestration/data/compare.hpp"

namespace npu::orch {

enum class Verdict : std::uint8_t { Pass, Fail, Skipped };
[[nodiscard]] constexpr std::string_view name_of(Verdict v) {
  return v == Verdict::Pass ? "pass" : v == Verdict::Fail ? "fail" : "skipped";
}
/// Fail where an output fails; skipped where no element was compared.
[[nodiscard]] Verdict verdict_of(const std::vector<Comparison>& outputs);

struct SimulatorCost {
  double wall_s = 0.0;     ///< of the simulation
  double prepare_s = 0.0;  ///< of building the program, making or reading inputs, and filling the cards
  double golden_s = 0.0;   ///< of the built-in reference
  double peak_rss_mib = 0.0;
};

/// A layer of a step: from the end of the layer before it to its own.
struct LayerTime {
  std::uint32_t layer_id = 0;
  kernels::AttentionKind kind{};
  std::uint64_t begin = 0, end = 0;  ///< cycles
};

struct RunReport {
  std::string workload;
  std::string platform;
  std::string preset;  ///< name, path, or the data file that gave the dimensions
  std::uint64_t seed = 0;
  std::optional<kernels::LayerConfig> config;  ///< none for a program file
  std::optional<std::uint32_t> start_pos;      ///< of --start-pos, or of the preset
  kernels::AttentionKind kind{};               ///< where there is a layer
  std::vector<std::string> tiles;              ///< KERNEL.FIELD=VALUE, chosen for plans by hand
  const model::Machine* machine = nullptr;
  bool timed = true;
  std::vector<Comparison> outputs;
  std::vector<LayerTime> layers;  ///< of a step; empty for runs of one layer
  model::RunStats stats;
  SimulatorCost cost;
  std::vector<model::Finding> findings;  ///< of the checks, equal ones once
  std::string status = "complete";       ///< how the run ended; else hang, time_limit, illegal, interrupted or config
  std::string error;                     ///< why it did not complete; the verdict is fail then
};

/// JSON text, keys in the order of the contract; docs/summary.schema.json describes them.
[[nodiscard]] std::string summary_json(const RunReport& report);
/// The result for a terminal: outputs, tasks, cards, memory and links, and what the terms mean.
[[nodiscard]] std::string summary_text(const RunReport& report);
/// Of machine, dimensions and chosen plans: equal digests, equal results.
[[nodiscard]] std::string config_digest(const RunReport& report);

/// Microseconds that the slowest card took.
[[nodiscard]] double effective_us(const RunReport& report);

}  // namespace npu::orch
