// Where the rotated columns of a row start.
#pragma once

#include <cstdint>
#include <string_view>

#include "isa/errors.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// The last `rope_dim` of `width` columns rotate. Throws ConfigError, with `width_name` the field that holds the width,
/// if the rotated fp32 columns cannot be viewed as a tile of their own.
[[nodiscard]] inline std::uint32_t first_rope_column(std::uint32_t width, std::uint32_t rope_dim,
                                                     std::string_view width_name) {
  constexpr std::uint32_t kBlock = 8;  // fp32 elements of a 32-byte block
  if (rope_dim == 0 || rope_dim % 2 != 0 || rope_dim > width || (width - rope_dim) % kBlock != 0) {
    throw config_error(
        "rope_dim = {0} with {1} = {2}: rope_dim is even, at most {1}, and {1} - rope_dim is a multiple of {3}; change "
        "one of the two",
        rope_dim, width_name, width, kBlock);
  }
  return width - rope_dim;
}

/// Of a head.
[[nodiscard]] inline std::uint32_t first_rope_column(const LayerConfig& cfg) {
  return first_rope_column(cfg.head_dim, cfg.rope_dim, "head_dim");
}

}  // namespace npu::kernels
