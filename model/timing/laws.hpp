// Timing laws of the on-core pipes (machine.md section 1): pure functions of parameters and shapes.
#pragma once

#include <cstdint>

#include "isa/instructions/opcode.hpp"
#include "isa/types.hpp"
#include "model/config/machine.hpp"

namespace npu::model {

/// Valid extent of a tile as the instruction sees it.
struct TileShape {
  isa::DType dtype = isa::DType::F32;
  std::uint32_t lines = 0, line_bytes = 0;  ///< contiguous pieces
  std::uint32_t pitch = 0;                  ///< bytes between lines
  std::uint32_t offset = 0;                 ///< bytes from the start of the space
  [[nodiscard]] std::uint64_t bytes() const { return static_cast<std::uint64_t>(lines) * line_bytes; }
};

/// Core cycles: how long the pipe is taken, and how much later the result is visible.
struct Cost {
  std::uint64_t occupancy = 0;
  std::uint64_t result = 0;
};

/// acc [m, n] (+)= left [m, k] x right [k, n]: overhead + whole fractals.
[[nodiscard]] Cost matmul_cost(const CoreParams& p, isa::DType operand, std::uint32_t m, std::uint32_t k,
                               std::uint32_t n);
/// L1 to L0A, L0B or BT; `mte2_busy`: the same L1 is being filled.
[[nodiscard]] Cost mte1_cost(const CoreParams& p, isa::Space destination, std::uint64_t bytes, bool mte2_busy);
/// L0C to L1; `bytes` of the accumulator.
[[nodiscard]] Cost fix_l1_cost(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes);
/// One vector instruction; `sources` one or two.
[[nodiscard]] Cost vector_cost(const CoreParams& p, const VectorParams& v, isa::Opcode op, const TileShape& dst,
                               const TileShape& a, const TileShape* b);

}  // namespace npu::model
