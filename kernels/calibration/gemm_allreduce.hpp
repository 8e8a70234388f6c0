// A matrix product whose result is summed over all cards while it is computed: cube cores multiply, vector cores talk.
#pragma once

#include "kernels/calibration/gemm_plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct GemmAllreducePlan {
  GemmPlan gemm;
  std::uint32_t comm_rows = 64;  ///< rows of a block that move at a time
};

/// On every card c [groups*m, n] = the sum over the cards of a x b, each card's product rounded to c's type before it
/// is added. Arguments: a, b as gemm's; c, zero at the start; partial like c, the card's own product; ready [cores *
/// blocks of a core] i32 and done [cores] i32, zero at the start. c, ready and done are windows: at one
/// offset on every card. Each block has an owner in turn: all cards add theirs to the owner's, which sends the sum to
/// the others. One vector core of a cluster does this, one block behind the sums. Errors are those of gemm; k is not
/// split.
[[nodiscard]] Kernel gemm_allreduce(const GemmAllreducePlan& plan, const isa::ArchSpec& arch, std::uint32_t cards);

/// Most blocks that a core of the resolved plan computes.
[[nodiscard]] std::uint32_t blocks_of_core(const GemmPlan& plan);

}  // namespace npu::kernels
