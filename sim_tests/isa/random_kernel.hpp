// Structurally sound instructions and kernels with random fields: what every encoder must carry, legal or not.
#pragma once

#include <cstdint>
#include <random>

#include "isa/program.hpp"

namespace npu::isa {

using Random = std::mt19937_64;

/// Uniform in [lo, hi], the same on every host.
[[nodiscard]] std::int64_t uniform(Random& random, std::int64_t lo, std::int64_t hi);

/// Every operand form of the opcode occurs with some probability: registers or immediates, ids in registers, all pipes.
[[nodiscard]] Instruction random_instruction(Random& random, Opcode opcode, std::uint8_t mode, const Program& program,
                                             std::size_t code_size);

/// One instruction for each opcode and mode, in a random order; random descriptors; names plain, duplicate and odd.
[[nodiscard]] Program random_program(Random& random, CoreKind kind);
[[nodiscard]] KernelObject random_kernel(Random& random);

}  // namespace npu::isa
