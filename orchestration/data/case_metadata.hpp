// The metadata of golden files: the layer's dimensions as JSON under the reference's own names.
#pragma once

#include <string_view>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/safetensors.hpp"

namespace npu::orch {

/// LayerConfig from the keys "config" (JSON object) and "layer_id", validated. Throws ConfigError naming `path` and the
/// key where one is missing, mistyped or unknown, and where "kind" contradicts the compression ratio of the layer.
[[nodiscard]] kernels::LayerConfig config_from_metadata(const Metadata& metadata, std::string_view path);

/// Adds "config", "layer_id" and "kind".
void add_config(Metadata& metadata, const kernels::LayerConfig& config);

}  // namespace npu::orch
