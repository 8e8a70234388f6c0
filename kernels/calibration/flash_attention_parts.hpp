// What the two parts of flash attention share: arguments, rings in memory, the walk over blocks and tiles.
#pragma once

#include <cstdint>
#include <functional>

#include "isa/builder/kernel_builder.hpp"
#include "kernels/calibration/flash_attention.hpp"
#include "kernels/common/cross_fifo.hpp"

namespace npu::kernels::flash {

struct Arguments {
  isa::TensorArgument q, k, v, o, workspace;
};

/// Rings between the cube core and the vector cores of a cluster: scores f32, weights f16, values f32.
struct Fifos {
  CrossFifo scores, weights, values;
  std::uint32_t cores;
  [[nodiscard]] std::uint64_t weights_at() const { return cores * scores.bytes(); }
  [[nodiscard]] std::uint64_t values_at() const { return weights_at() + cores * weights.bytes(); }
  [[nodiscard]] std::uint64_t bytes() const { return values_at() + cores * values.bytes(); }
};
[[nodiscard]] Fifos fifos_of(const FlashAttentionPlan& plan);
/// The slice of the workspace that `fifo` has for all cores.
[[nodiscard]] isa::GmTensor region(isa::PartBuilder& part, const Arguments& arguments, std::uint64_t offset,
                                   const CrossFifo& fifo);

/// In both parts: for each block of this core, begin(first row of its queries, first row of its keys); then
/// ahead(tile) for every tile and, `preload` tiles later, behind(tile); then end().
struct Walk {
  std::function<void(const isa::Reg& query, const isa::Reg& key)> begin;
  std::function<void(const isa::Reg&tile)> ahead, behind;
  std::function<void()> end;
};
void walk(isa::PartBuilder& part, const FlashAttentionPlan& plan, const Walk& steps);

void emit_cube(isa::PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments);
void emit_vector(isa::PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments);

}  // namespace npu::kernels::flash
