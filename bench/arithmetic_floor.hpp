// The same products through a tuned library, one thread: what the arithmetic alone costs on this host.
#pragma once

#include <optional>
#include <vector>

#include "bench/matrix_products.hpp"

namespace npu::bench {

/// Processor seconds for all products through oneDNN, one after the other on one thread, weights packed beforehand.
/// Shapes are timed once (best of some repetitions) and multiplied by their counts. Empty where the build has no
/// oneDNN.
[[nodiscard]] std::optional<double> arithmetic_floor_seconds(const std::vector<Product>& products);

}  // namespace npu::bench
