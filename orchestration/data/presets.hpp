// Model dimensions by name or from a TOML file (decode-layer.md S1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/positions.hpp"

namespace npu::orch {

/// A model with the batch and the place at which it decodes.
struct Preset {
  kernels::LayerConfig config;
  std::optional<std::uint32_t> start_pos;  ///< where a run without --start-pos decodes; none: S10's mix of the kind
  GivenFields given;                       ///< by a file, which no start position changes
};

/// The built-in presets: tiny, small, demo, flash, flash-8k, pro.
[[nodiscard]] std::vector<std::string_view> preset_names();

/// A built-in preset, or the file at a path (anything with a '/' or ending in ".toml" or ".json"). A TOML file spells
/// the fields of LayerConfig; either all of them, or those that differ from `base = "<built-in preset>"`; a recv_max
/// that the file leaves out follows recv_max_of; it may give start_pos and layer_id too. A JSON file, such as
/// layer.json of a run directory, gives all fields and may give start_pos. Both may spell a field as the golden files
/// do (config_fields.hpp). Throws ConfigError for unknown names and keys (with the nearest known one), missing keys,
/// wrong types and impossible values.
[[nodiscard]] Preset read_preset(std::string_view name_or_path);

/// Its dimensions alone.
[[nodiscard]] kernels::LayerConfig preset(std::string_view name_or_path);

/// The flags that resize a preset.
struct SizeOverrides {
  std::optional<std::uint32_t> ranks, batch, seq, layer_id;
  bool all_experts = false;
};
/// Ranks of the published deployment: a preset's rank holds an eighth of the model's routed experts.
inline constexpr std::uint32_t kModelRanks = 8;
/// Applies the flags and validates. A rank keeps its count of experts: the total follows the number of ranks (S1).
/// all_experts spreads all experts of the model over the ranks instead. A new batch or seq and all_experts give a new
/// recv_max; the number of ranks alone does not change it (S1).
[[nodiscard]] kernels::LayerConfig resized(kernels::LayerConfig config, const SizeOverrides& overrides);

/// The same model and step in another layer; not validated.
[[nodiscard]] kernels::LayerConfig with_layer(kernels::LayerConfig config, std::uint32_t id);

/// Receive rows per local expert: four times the mean load of an expert, T*KE routes over the local experts, and at
/// least room for 32 rows or for every token of all ranks, whichever is less (S1; the floor keeps small batches from
/// overflowing where the mean is no guide).
[[nodiscard]] std::uint32_t recv_max_of(const kernels::LayerConfig& config);

/// The kind of layer_id by compress_ratios, never by parity (S16.1). ConfigError for a ratio other than 0, 4 and 128,
/// for the MTP head's entry and for layers that do not exist.
[[nodiscard]] kernels::AttentionKind attention_kind(const kernels::LayerConfig& config);

/// ConfigError, beginning with `source`, where the dimensions contradict each other.
void validate(const kernels::LayerConfig& config, std::string_view source);

}  // namespace npu::orch
