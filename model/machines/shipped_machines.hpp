// The machine files that are part of the library (embedded by cmake/NpuEmbed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace npu::model {

struct ShippedMachine {
  std::string_view platform;  ///< "a2a3"
  std::string_view text;      ///< the .toml file
};

[[nodiscard]] std::span<const ShippedMachine> shipped_machines();

}  // namespace npu::model
