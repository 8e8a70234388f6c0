// Preset files: TOML with the fields of LayerConfig, or the JSON that a run directory holds.
#pragma once

#include <string>

#include "orchestration/data/presets.hpp"

namespace npu::orch {

/// See read_preset(). Every ConfigError names the file, and the key and line where there is one.
[[nodiscard]] Preset read_preset_file(const std::string& path);

}  // namespace npu::orch
