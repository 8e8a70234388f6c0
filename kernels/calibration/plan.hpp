// Words that the plans of the calibration kernels share.
#pragma once

#include <cstdint>

#include "isa/arch_spec.hpp"

namespace npu::kernels {

/// Rows and columns: of a tile, or of the cores along M and N.
struct Extent2 {
  std::uint32_t rows = 0, cols = 0;
  [[nodiscard]] std::uint64_t count() const { return std::uint64_t{rows} * cols; }
  bool operator==(const Extent2&) const = default;
};

/// Extents of a matrix product.
struct Extent3 {
  std::uint32_t m = 0, n = 0, k = 0;
  bool operator==(const Extent3&) const = default;
};

/// Whether transfers leave a copy in L2.
enum class L2Use : std::uint8_t { Keep, Bypass };

/// `wanted` blocks, all of the `present` cores where that is 0. ConfigError naming the kernel and `kind` of cores where
/// the card has fewer.
[[nodiscard]] std::uint32_t cores_of(const char* kernel, std::uint32_t wanted, std::uint32_t present, const char* kind);

}  // namespace npu::kernels
