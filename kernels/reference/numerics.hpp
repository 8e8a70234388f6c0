// Which of the two upstream references a computation follows (decode-layer.md S12).
#pragma once

#include <cstdint>

namespace npu::kernels::reference {

/// Golden rounds where the torch reference rounds, Device where the device kernels round. Sums: matrix products follow
/// the order of matmul.hpp in both; sums over a row (mean square, softmax) are formed in double and rounded once to
/// fp32, so that neither reference adds an order of its own.
enum class Numerics : std::uint8_t { Golden, Device };

}  // namespace npu::kernels::reference
