// The metadata of golden files: the layer's dimensions as JSON under the reference's own names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/safetensors.hpp"

namespace npu::orch {

/// LayerConfig from the keys "config" (JSON object) and "layer_id", validated. Throws ConfigError naming `path` and the
/// key where one is missing, mistyped or unknown, and where "kind" contradicts the compression ratio of the layer.
[[nodiscard]] kernels::LayerConfig config_from_metadata(const Metadata& metadata, std::string_view path);

/// LayerConfig without its layer_id, not validated, from a JSON object with every field under its name or its key
/// (config_fields.hpp). `what` opens messages: "x.safetensors: metadata 'config'". Where `start_pos` is not null the
/// object may have that key too. Throws ConfigError for what is missing, mistyped, unknown or there twice.
[[nodiscard]] kernels::LayerConfig config_from_json(std::string_view text, const std::string& what,
                                                    std::optional<std::uint32_t>* start_pos = nullptr);
/// Such an object; with start_pos where there is one.
[[nodiscard]] std::string config_json(const kernels::LayerConfig& config,
                                      std::optional<std::uint32_t> start_pos = std::nullopt);

/// Adds "config", "layer_id" and "kind".
void add_config(Metadata& metadata, const kernels::LayerConfig& config);

}  // namespace npu::orch
