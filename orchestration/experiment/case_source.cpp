#include "orchestration/experiment/case_source.hpp"

#include <cstddef>
#include <string_view>

#include "isa/errors.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

using kernels::LayerConfig;

constexpr std::string_view kDefaultPreset = "small";
constexpr std::uint32_t kDefaultLayer = 10;

/// The layer of a run without --layer-id.
std::uint32_t default_layer(const Workload& workload, LayerConfig config) {
  const auto is_possible = [&] {
    return config.layer_id < config.layers && (!workload.kind || attention_kind(config) == *workload.kind);
  };
  config.layer_id = kDefaultLayer;
  if (is_possible()) return kDefaultLayer;
  for (config.layer_id = 0; config.layer_id < config.layers; ++config.layer_id) {
    if (is_possible()) return config.layer_id;
  }
  return kDefaultLayer;  // refused by name where the layer is used
}

void refuse_contradictions(const Request& request, const LayerConfig& in_file, const std::string& file) {
  const FlagValues& flags = request.flags;
  const auto require_number = [&](std::string_view word, std::optional<std::uint32_t> given, std::uint32_t value) {
    if (given && *given != value) {
      throw config_error("{} {} contradicts {}, which says {}; leave the flag out", word, *given, file, value);
    }
  };
  require_number("--ep", request.ep, in_file.ranks);
  require_number("--layer-id", flags.number("--layer-id"), in_file.layer_id);
  require_number("--batch", flags.number("--batch"), in_file.batch);
  require_number("--seq", flags.number("--seq"), in_file.seq);
  const auto refuse = [&](bool given, std::string_view word, std::string_view owner, std::string_view brings) {
    if (given) throw config_error("{} belongs to {}; {} brings its own{}", word, owner, file, brings);
  };
  refuse(request.seed.has_value(), "--seed", "generated inputs", "");
  refuse(flags.has("--all-experts"), "--all-experts", "presets", " experts");
  refuse(flags.has("--start-pos"), "--start-pos", "generated inputs", "");
  const std::optional<std::string> name = flags.text("--preset");
  if (!name) return;
  const Preset named = read_preset(*name);
  const LayerConfig preset =
      resized(named.config, {in_file.ranks, in_file.batch, in_file.seq, in_file.layer_id, false});
  const auto check = [&](std::string_view field, std::uint32_t LayerConfig::*member) {
    if (preset.*member != in_file.*member) {
      throw config_error("--preset {} contradicts {}: {} is {} there, {} in the preset; leave the flag out", *name,
                         file, field, in_file.*member, preset.*member);
    }
  };
  check("hidden", &LayerConfig::hidden);
  check("heads", &LayerConfig::heads);
  check("head_dim", &LayerConfig::head_dim);
  check("rope_dim", &LayerConfig::rope_dim);
  check("q_lora", &LayerConfig::q_lora);
  check("o_lora", &LayerConfig::o_lora);
  check("o_groups", &LayerConfig::o_groups);
  check("window", &LayerConfig::window);
  check("local_experts", &LayerConfig::local_experts);
  check("top_k", &LayerConfig::top_k);
  check("moe_inter", &LayerConfig::moe_inter);
  if (named.given.contains("max_positions")) check("max_positions", &LayerConfig::max_positions);
}

}  // namespace

CaseSource open_case(const Request& request, const Workload& workload, std::optional<std::uint32_t> layer_id) {
  CaseSource source;
  const FlagValues& flags = request.flags;
  const std::optional<std::string> file = flags.text("--data"), preset_name = flags.text("--preset");
  if (file) {
    source.file = load_case(*file);
    source.from_file = true;
    source.config = source.file.config;
    source.preset = preset_name.value_or(*file);
    refuse_contradictions(request, source.config, *file);
    return source;
  }
  source.preset = preset_name.value_or(std::string{kDefaultPreset});
  Preset preset = read_preset(source.preset);
  const std::uint32_t layer = layer_id ? *layer_id : default_layer(workload, preset.config);
  source.config = resized(
      preset.config, {request.ep, flags.number("--batch"), flags.number("--seq"), layer, flags.has("--all-experts")});
  const std::optional<std::uint32_t> start_pos = flags.number("--start-pos");
  source.start_pos = start_pos ? start_pos : preset.start_pos;
  source.given = std::move(preset.given);
  fit_to_positions(source.config, {layer, layer}, source.start_pos, source.given);
  return source;
}

void describe_case(RunReport& report, const CaseSource& source, const PlanChoices& plans) {
  report.preset = source.preset;
  report.config = source.config;
  report.start_pos = source.start_pos;
  report.kind = attention_kind(source.config);
  for (const auto& [kernel, choice] : plans) {
    for (const auto& [field, value] : choice) {
      report.tiles.push_back(fmt::format("{}{}{}={}", kernel, kernel.empty() ? "" : ".", field, value));
    }
  }
}

}  // namespace npu::orch
