#include "bench/arithmetic_floor.hpp"

namespace npu::bench {

std::optional<double> arithmetic_floor_seconds(const std::vector<Product>&) { return std::nullopt; }

}  // namespace npu::bench
