// Where the rotated columns of a head start.
#pragma once

#include <cstdint>

#include "isa/errors.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// nd. Throws ConfigError if the rotated fp32 columns cannot be viewed as a tile of their own.
[[nodiscard]] inline std::uint32_t first_rope_column(const LayerConfig& cfg) {
  constexpr std::uint32_t kBlock = 8;  // fp32 elements of a 32-byte block
  if (cfg.rope_dim == 0 || cfg.rope_dim % 2 != 0 || cfg.rope_dim > cfg.head_dim || cfg.nope_dim() % kBlock != 0) {
    throw config_error(
        "rope_dim = {} with head_dim = {}: rope_dim is even, at most head_dim, and head_dim - rope_dim is a multiple "
        "of "
        "{}; change one of the two",
        cfg.rope_dim, cfg.head_dim, kBlock);
  }
  return cfg.nope_dim();
}

}  // namespace npu::kernels
