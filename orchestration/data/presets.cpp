#include "orchestration/data/presets.hpp"

#include <algorithm>
#include <array>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/data/preset_file.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;

/// Twice `first`, then `pairs` times (4, 128), then (4, 0): the pattern of all published configurations.
std::vector<std::uint32_t> ratios(std::uint32_t first, int pairs) {
  std::vector<std::uint32_t> r{first, first};
  for (int i = 0; i < pairs; ++i) r.insert(r.end(), {4, 128});
  r.insert(r.end(), {4, 0});
  return r;
}

/// 43 layers; the defaults of LayerConfig are this preset's sizes.
LayerConfig flash() {
  LayerConfig c;
  c.compress_ratios = ratios(0, 20);
  return c;
}

/// Flash where it is deployed: four requests of two tokens each.
LayerConfig flash_8k() {
  LayerConfig c = flash();
  c.batch = 4;
  c.recv_max = recv_max_of(c);
  return c;
}

/// 61 layers, 384 routed experts for eight ranks.
LayerConfig pro() {
  LayerConfig c = flash();
  c.layers = 61;
  c.hidden = 7168;
  c.heads = 128;
  c.q_lora = 1536;
  c.o_groups = 16;
  c.local_experts = 384 / kModelRanks;
  c.experts = c.local_experts * c.ranks;
  c.moe_inter = 3072;
  c.index_topk = 1024;
  c.route_scale = 2.5F;
  c.compress_ratios = ratios(128, 29);
  c.recv_max = recv_max_of(c);
  return c;
}

/// Eight layers without an MTP head, 16 routed experts for eight ranks, score routing everywhere.
LayerConfig demo() {
  LayerConfig c = flash();
  c.layers = 8;
  c.local_experts = 16 / kModelRanks;
  c.experts = c.local_experts * c.ranks;
  c.top_k = 2;
  c.moe_inter = 4096;
  c.route_scale = 1.0F;
  c.swiglu_limit = 0.0F;
  c.hash_layers = 0;
  c.compress_ratios = ratios(0, 2);
  c.recv_max = recv_max_of(c);
  return c;
}

LayerConfig small() {
  LayerConfig c = flash();
  c.batch = 16;
  c.hidden = 512;
  c.heads = 32;
  c.head_dim = 128;
  c.rope_dim = 32;
  c.q_lora = 256;
  c.o_lora = 128;
  c.o_groups = 4;
  c.vocab = 512;
  c.max_positions = 1024;
  c.local_experts = 8;
  c.experts = 16;
  c.moe_inter = 256;
  c.index_heads = 16;
  c.index_dim = 64;
  c.index_topk = 16;
  c.cmp_max_blocks = 1;
  c.idx_max_blocks = 1;
  c.c4_max_blocks = 33;
  c.c128_max_blocks = 49;
  return c;
}

LayerConfig tiny() {
  LayerConfig c = flash();
  c.batch = 8;
  c.hidden = 256;
  c.heads = 4;
  c.head_dim = 32;
  c.rope_dim = 16;
  c.q_lora = 64;
  c.o_lora = 32;
  c.o_groups = 2;
  c.window = 16;
  c.page = 16;
  c.vocab = 256;
  c.max_positions = 512;
  c.local_experts = 4;
  c.experts = 8;
  c.top_k = 3;
  c.moe_inter = 64;
  c.recv_max = 48;
  c.index_heads = 16;
  c.index_dim = 32;
  c.index_topk = 8;
  c.softmax_block = 8;
  c.cmp_max_blocks = 5;
  c.idx_max_blocks = 5;
  return c;
}

struct BuiltIn {
  std::string_view name;
  LayerConfig (*make)();
  std::optional<std::uint32_t> start_pos = {};
};
constexpr std::array<BuiltIn, 6> kPresets{
    {{"tiny", tiny}, {"small", small}, {"demo", demo}, {"flash", flash}, {"flash-8k", flash_8k, 8192}, {"pro", pro}}};

}  // namespace

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const BuiltIn& p : kPresets) names.push_back(p.name);
  return names;
}

Preset read_preset(std::string_view name_or_path) {
  for (const BuiltIn& p : kPresets) {
    if (p.name == name_or_path) return {p.make(), p.start_pos, {}};
  }
  if (name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".toml") ||
      name_or_path.ends_with(".json")) {
    return read_preset_file(std::string{name_or_path});
  }
  throw config_error(
      "--preset {}: there is no such preset; nearest is '{}' (see npusim list), or give the path of a .toml or .json "
      "file",
      isa::shown(name_or_path), isa::nearest_name(name_or_path, preset_names()));
}

LayerConfig preset(std::string_view name_or_path) { return read_preset(name_or_path).config; }

namespace {

/// The flags that are given, for messages.
std::string flags_of(const SizeOverrides& overrides) {
  std::string text;
  const auto add = [&](const char* flag, const std::optional<std::uint32_t>& value) {
    if (value) text += fmt::format("{}{} {}", text.empty() ? "" : " / ", flag, *value);
  };
  add("--ep", overrides.ranks);
  add("--batch", overrides.batch);
  add("--seq", overrides.seq);
  add("--layer-id", overrides.layer_id);
  if (overrides.all_experts) text += text.empty() ? "--all-experts" : " / --all-experts";
  return text.empty() ? "the preset" : text;
}

}  // namespace

LayerConfig resized(LayerConfig config, const SizeOverrides& overrides) {
  if (overrides.ranks) {
    config.ranks = *overrides.ranks;
    config.experts = config.local_experts * config.ranks;
  }
  if (overrides.all_experts) {
    const std::uint64_t model_experts = std::uint64_t{config.local_experts} * kModelRanks;
    if (config.ranks == 0 || model_experts % config.ranks != 0) {
      throw config_error("--all-experts: {} experts do not spread evenly over {} ranks; choose another --ep",
                         model_experts, config.ranks);
    }
    config.experts = static_cast<std::uint32_t>(model_experts);
    config.local_experts = config.experts / config.ranks;
  }
  if (overrides.batch || overrides.seq || overrides.all_experts) {
    config.batch = overrides.batch.value_or(config.batch);
    config.seq = overrides.seq.value_or(config.seq);
    validate(config, flags_of(overrides));
    config.recv_max = recv_max_of(config);
  }
  config.layer_id = overrides.layer_id.value_or(config.layer_id);
  validate(config, flags_of(overrides));
  return config;
}

LayerConfig with_layer(LayerConfig config, std::uint32_t id) {
  config.layer_id = id;
  return config;
}

std::uint32_t recv_max_of(const LayerConfig& config) {
  constexpr std::uint32_t kSafety = 4;
  constexpr std::uint32_t kFloor = 32;
  return std::max(config.routes() / config.local_experts * kSafety, std::min(config.ranks * config.tokens(), kFloor));
}

AttentionKind attention_kind(const LayerConfig& config) {
  const auto& r = config.compress_ratios;
  if (config.layers == 0 || (r.size() != config.layers && r.size() != config.layers + std::size_t{1})) {
    throw config_error(
        "compress_ratios has {} entries for layers = {}; it needs one per layer, and may have one more for the MTP "
        "head",
        r.size(), config.layers);
  }
  if (config.layer_id >= config.layers) {
    const std::string_view what =
        config.layer_id < r.size() ? "is the MTP head, which is not a decode layer" : "does not exist";
    throw config_error("--layer-id {}: layer {} {}; the model has {} layers, choose 0..{}", config.layer_id,
                       config.layer_id, what, config.layers, config.layers - 1);
  }
  switch (r[config.layer_id]) {
    case 0:
      return AttentionKind::Swa;
    case 4:
      return AttentionKind::Csa;
    case 128:
      return AttentionKind::Hca;
    default:
      throw config_error("compress_ratios[{}] is {}; a ratio is 0, 4 or 128", config.layer_id, r[config.layer_id]);
  }
}

}  // namespace npu::orch
