// The matrix products of one decode layer, all cards together: the work below which no simulator of it can go.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "isa/types.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::bench {

/// `count` products [m, k] x [k, n] of operands of one type; sums in fp32, or int32 for i8.
struct Product {
  std::string_view stage;
  isa::DType dtype;
  std::uint64_t m, n, k, count;
  [[nodiscard]] double operations() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) * static_cast<double>(count);
  }
};

/// Shapes of decode-layer.md S3 to S8. Experts get equal shares of the routes; every column of an index list counts.
[[nodiscard]] std::vector<Product> matrix_products(const kernels::LayerConfig& config, kernels::AttentionKind kind);

}  // namespace npu::bench
