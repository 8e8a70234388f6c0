// What the two parts of sparse attention share: tiling, arguments, the walk over tokens and softmax blocks.
#pragma once

#include <array>
#include <cstdint>

#include "isa/builder/kernel_builder.hpp"
#include "kernels/attention/key_gather.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/common/rope.hpp"

namespace npu::kernels::attention {

/// The kernel's tiling. A step is one softmax block (at most `block` keys) of one token.
struct Plan {
  std::uint32_t tokens, heads, dim, rope, block, width;
  std::uint32_t list_blocks;  ///< steps a token
  std::uint32_t blocks;       ///< SPMD blocks; block i takes tokens i, i + blocks, ...
  std::uint32_t chunk;        ///< columns of a head in one cube instruction
  std::uint32_t vec_heads;    ///< heads of one vector core
  std::uint32_t rows;         ///< heads that a vector core handles at a time
  std::uint32_t slots;        ///< buffers of the value product and of the output
  std::uint32_t q_slots;
  CrossFifo scores, weights, values;
  [[nodiscard]] std::uint64_t weights_at() const { return blocks * scores.bytes(); }
  [[nodiscard]] std::uint64_t values_at() const { return weights_at() + blocks * weights.bytes(); }
  [[nodiscard]] std::uint64_t workspace_bytes() const { return values_at() + blocks * values.bytes(); }
  [[nodiscard]] PlanFields fields(const isa::ArchSpec& arch);
  /// Rows and slots are counted out beforehand.
  [[nodiscard]] bool shrink(const isa::ArchSpec&, const isa::CapacityError&) { return false; }
};

struct Arguments {
  isa::TensorArgument q;
  KeySources keys;
  isa::TensorArgument sink;
  RopeArguments rope;
  isa::TensorArgument o, workspace;
};

/// Throws ProgramError for shapes that the kernel does not tile.
[[nodiscard]] Plan plan_attention(const LayerConfig& cfg, const isa::ArchSpec& arch, std::uint32_t list_width);

void emit_cube(isa::PartBuilder& part, const LayerConfig& cfg, const Plan& plan, const Arguments& arguments);
void emit_vector(isa::PartBuilder& part, const Plan& plan, const Arguments& arguments);

/// The slice of the workspace that `fifo` has for all blocks.
[[nodiscard]] isa::GmTensor region(isa::PartBuilder& part, const Arguments& arguments, std::uint64_t offset,
                                   const CrossFifo& fifo);
/// Steps of this block.
[[nodiscard]] isa::Reg count_steps(isa::PartBuilder& part, const Plan& plan);
[[nodiscard]] isa::Reg token_of(isa::PartBuilder& part, const Plan& plan, const isa::Reg& step);
/// First column of the step's part of the list, and how many it has.
[[nodiscard]] isa::Reg column_of(const Plan& plan, const isa::Reg& step);
[[nodiscard]] isa::Reg columns_of(isa::PartBuilder& part, const Plan& plan, const isa::Reg& step);

/// Runs ahead(i) for i in [0, steps) and behind(i - 1) after it, so that behind lags by one step. The second argument
/// is the step's parity: buffers that live from ahead to behind exist twice.
template <class Ahead, class Behind>
void run_lagged(isa::PartBuilder& p, const isa::Reg& steps, const Ahead& ahead, const Behind& behind) {
  isa::Reg step = p.imm(0);
  const auto round = [&](std::uint32_t parity) {
    p.if_(step < steps, [&] { ahead(step, parity); });
    p.if_(step > 0, [&] { behind(step - 1, 1 - parity); });
    step += 1;
  };
  p.while_([&] { return step <= steps; },
           [&] {
             round(0);
             p.if_(step <= steps, [&] { round(1); });
           });
}

/// One-slot rings used in turn by code that knows statically whose turn it is: no slot register.
class Alternating {
 public:
  Alternating(isa::PartBuilder& p, isa::Pipe producer, isa::Pipe consumer, const isa::PartBuilder::RingMember& member)
      : rings_{&p.ring(1, producer, consumer, {member}), &p.ring(1, producer, consumer, {member})} {}
  [[nodiscard]] isa::Ring& next() { return *rings_[turn_++ % 2]; }
  [[nodiscard]] isa::Ring& operator[](std::uint32_t i) const { return *rings_[i]; }

 private:
  std::array<isa::Ring*, 2> rings_;
  std::uint32_t turn_ = 0;
};

}  // namespace npu::kernels::attention
