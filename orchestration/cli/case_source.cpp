#include "orchestration/cli/case_source.hpp"

#include <charconv>
#include <cstddef>
#include <string_view>

#include "isa/errors.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::cli {
namespace {

using kernels::LayerConfig;

constexpr std::string_view kDefaultPreset = "small";
constexpr std::uint32_t kDefaultLayer = 10;

/// "0,1" or "0-1" to a count; the cards of a run are numbered from 0.
std::uint64_t device_count(const std::string& text) {
  const auto refuse = [&] { return config_error("--device {}: expected cards as 0,1 or 0-1, starting at 0", text); };
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&]() -> std::uint64_t {
    std::uint32_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{}) throw refuse();
    at = next;
    return value;
  };
  if (number() != 0) throw refuse();
  std::uint64_t count = 1;
  if (at != end && *at == '-') {
    ++at;
    count = number() + 1;
  }
  while (at != end) {
    if (*at++ != ',' || number() != count++) throw refuse();
  }
  return count;
}

/// The layer of a run without --layer-id.
std::uint32_t default_layer(const orch::Workload& workload, LayerConfig config) {
  const auto is_possible = [&] {
    return config.layer_id < config.layers && (!workload.kind || orch::attention_kind(config) == *workload.kind);
  };
  config.layer_id = kDefaultLayer;
  if (is_possible()) return kDefaultLayer;
  for (config.layer_id = 0; config.layer_id < config.layers; ++config.layer_id) {
    if (is_possible()) return config.layer_id;
  }
  return kDefaultLayer;  // refused by name where the layer is used
}

template <class T>
void require_same(std::string_view flag, T given, T in_file, const std::string& file) {
  if (given != in_file) {
    throw config_error("{} {} contradicts {}, which says {}; leave the flag out", flag, given, file, in_file);
  }
}

void refuse_contradictions(const Options& o, const LayerConfig& file) {
  if (o.ep) require_same("--ep", *o.ep, file.ranks, *o.data);
  if (o.layer_id) require_same("--layer-id", *o.layer_id, file.layer_id, *o.data);
  if (o.batch) require_same("--batch", *o.batch, file.batch, *o.data);
  if (o.seq) require_same("--seq", *o.seq, file.seq, *o.data);
  if (o.seed) throw config_error("--seed belongs to generated inputs; {} brings its own", *o.data);
  if (o.all_experts) throw config_error("--all-experts belongs to presets; {} brings its own experts", *o.data);
  if (o.start_pos) throw config_error("--start-pos belongs to generated inputs; {} brings its own", *o.data);
  if (!o.preset) return;
  const orch::Preset named = orch::read_preset(*o.preset);
  const LayerConfig preset = orch::resized(named.config, {file.ranks, file.batch, file.seq, file.layer_id, false});
  const auto check = [&](std::string_view field, std::uint32_t LayerConfig::*member) {
    if (preset.*member != file.*member) {
      throw config_error("--preset {} contradicts {}: {} is {} there, {} in the preset; leave the flag out", *o.preset,
                         *o.data, field, file.*member, preset.*member);
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

std::uint32_t card_count(const Options& o, std::uint32_t otherwise) {
  const std::uint32_t cards = o.ep.value_or(otherwise);
  if (o.devices && device_count(*o.devices) != cards) {
    throw config_error("--device {} names {} cards, but the run has {} (--ep)", *o.devices, device_count(*o.devices),
                       cards);
  }
  if (!o.start_skew_us.empty() && o.start_skew_us.size() != cards) {
    throw config_error("--start-skew-us gives {} delays for {} cards", o.start_skew_us.size(), cards);
  }
  return cards;
}

CaseSource open_case(const Options& o, const orch::Workload& workload) {
  CaseSource source;
  if (o.data) {
    source.file = orch::load_case(*o.data);
    source.from_file = true;
    source.config = source.file.config;
    source.preset = o.preset.value_or(*o.data);
    refuse_contradictions(o, source.config);
  } else {
    source.preset = o.preset.value_or(std::string{kDefaultPreset});
    orch::Preset preset = orch::read_preset(source.preset);
    const std::uint32_t layer = o.layer_id ? *o.layer_id : default_layer(workload, preset.config);
    source.config = orch::resized(preset.config, {o.ep, o.batch, o.seq, layer, o.all_experts});
    source.start_pos = o.start_pos ? o.start_pos : preset.start_pos;
    source.given = std::move(preset.given);
    orch::fit_to_positions(source.config, {layer, layer}, source.start_pos, source.given);
  }
  static_cast<void>(card_count(o, source.config.ranks));
  return source;
}

}  // namespace npu::cli
