#include "kernels/calibration/bank_conflict.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/units.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kBlock = 32;           ///< bytes of a bank's row
constexpr std::uint32_t kTurn = 16 * kBlock;   ///< bytes after which addresses come back to the same bank group
constexpr std::uint32_t kBankRow = 64 * 1024;  ///< bytes after which addresses come to other banks of the groups

/// First bytes of the operands.
struct Places {
  std::uint32_t first, second, result;
  std::uint32_t other = 0;  ///< in place: the second source of every other addition
  [[nodiscard]] std::uint32_t end(std::uint32_t bytes) const {
    return std::max({first, second, result, other}) + bytes;
  }
};

Places places_of(const BankConflictPlan& plan, std::uint32_t bytes) {
  const auto behind = static_cast<std::uint32_t>(round_up(bytes, kTurn));
  const std::uint32_t other_group = behind + kTurn / 2;
  using enum BankConflictPlan::Placement;
  switch (plan.placement) {
    case Free:
      return {0, other_group, kBankRow};
    case ReadRead:
      return {0, behind, kBankRow};
    case ReadWrite:
      return {0, other_group, 2 * behind + kTurn + kBlock};
    case SameBank:
      return {0, other_group, 2 * behind + kTurn};
    case InPlace:
      return {0, other_group, other_group, other_group + behind};
  }
  NPU_ASSERT(false, "a placement has places");
  return {};
}

}  // namespace

//   V      fill | add 0 | add 1 | ... | add count - 1
//   MTE3                                              result
Kernel bank_conflict(const BankConflictPlan& plan, const ArchSpec& arch) {
  if (plan.src_block_stride != 1 || plan.src_repeat_stride != 8) {
    throw config_error("bank-conflict: not modelled: {} (operands are contiguous); leave it out",
                       plan.src_block_stride != 1 ? "--src-block-stride" : "--src-repeat-stride");
  }
  const std::uint32_t bytes = plan.repeats * plan.lanes() * size_of(plan.dtype);
  const Places places = places_of(plan, bytes);
  KernelBuilder k{"bank_conflict", arch};
  const auto result = k.output("result", plan.dtype, plan.lanes());
  k.vector([&](PartBuilder& p) {
    const GmTensor result_gm = p.tensor(result);
    const auto blocks = static_cast<std::uint32_t>(ceil_div(places.end(bytes), kBlock));
    const Tile all = p.ub(plan.dtype, blocks, kBlock / size_of(plan.dtype), "operands");
    const auto operand = [&](std::uint32_t place) {
      return all.view(place / kBlock, 0, bytes / kBlock, all.cols())
          .reshape(plan.dtype, plan.repeats, plan.lanes(), Layout::ND);
    };
    const bool in_place = plan.placement == BankConflictPlan::Placement::InPlace;
    const Tile first = operand(places.first), second = operand(places.second), sum = operand(places.result);
    const Tile other = in_place ? operand(places.other) : second;
    p.texpands(first, 1);
    p.texpands(second, 2);
    if (in_place) p.texpands(other, 2);
    p.barrier(Pipe::V);
    p.back_to_back([&] {
      if (!in_place) {
        p.for_range(0, plan.count, 1, [&](const Reg&) { p.vec(Opcode::TAdd, sum, first, second); });
        return;
      }
      p.for_range(0, plan.count / 2, 1, [&](const Reg&) {
        p.vec(Opcode::TAdd, second, first, second);
        p.vec(Opcode::TAdd, other, first, other);
      });
      if (plan.count % 2 != 0) p.vec(Opcode::TAdd, second, first, second);
    });
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(result_gm.at(0, 0), sum);
  });
  return pack(k, 1);
}

}  // namespace npu::kernels
