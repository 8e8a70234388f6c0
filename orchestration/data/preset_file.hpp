// Preset files: TOML with the fields of LayerConfig, or the JSON that a run directory holds.
#pragma once

#include <string>

#include "kernels/common/layer_config.hpp"

namespace npu::orch {

/// See preset(). Every ConfigError names the file, and the key and line where there is one.
[[nodiscard]] kernels::LayerConfig read_preset_file(const std::string& path);

}  // namespace npu::orch
