// Timing laws of the on-core pipes (machine.md section 1): pure functions of parameters and shapes.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "isa/types.hpp"
#include "model/config/machine.hpp"

namespace npu::model {

/// Core cycles: how long the pipe is taken, and how much later the result is visible.
struct Cost {
  std::uint64_t occupancy = 0;
  std::uint64_t result = 0;
};

/// acc [m, n] (+)= left [m, k] x right [k, n]: overhead + whole fractals.
[[nodiscard]] Cost matmul_cost(const CoreParams& p, const isa::ArchSpec& arch, isa::DType operand, std::uint32_t m,
                               std::uint32_t k, std::uint32_t n);
/// L1 to L0A, L0B or BT; `mte2_busy`: the same L1 is being filled.
[[nodiscard]] Cost mte1_cost(const CoreParams& p, isa::Place destination, std::uint64_t bytes, bool mte2_busy);
/// L0C to L1; `bytes` of the accumulator.
[[nodiscard]] Cost fix_l1_cost(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes);
/// One vector instruction; `a` is the destination where there is no source, `b` null where there is one.
[[nodiscard]] Cost vector_cost(const CoreParams& p, const VectorParams& v, isa::Opcode op, const isa::Access& dst,
                               const isa::Access& a, const isa::Access* b);

/// What the pipe of a mover, cube or vector instruction takes, movers without what they exchange with global memory.
[[nodiscard]] Cost cost_of(const isa::Operation& op, const Machine& machine, bool mte2_busy);

}  // namespace npu::model
