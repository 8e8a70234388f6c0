#include "kernels/calibration/gemm_operands.hpp"

namespace npu::kernels {

using namespace isa;

Reg row_of(PartBuilder& part, const GemmPlan& plan, const GemmBlock& block) {
  const Reg row = block.row.reg() != nullptr ? part.copy(*block.row.reg()) : part.imm(block.row.imm());
  if (block.group.reg() == nullptr) return row + block.group.imm() * plan.m;
  return *block.group.reg() * plan.m + row;
}

GmTensor b_of(const GmTensor& b, const GemmPlan& p, const GemmBlock& block) {
  const auto times = [&](const Value& v, std::uint32_t factor) -> Reg {
    PartBuilder& part = b.base().part();
    return v.reg() != nullptr ? *v.reg() * factor : part.imm(v.imm() * factor);
  };
  if (block.group.is(0) && block.part.is(0)) return {b.base() + 0, p.dtype, b.cols()};
  if (p.weight_order() == WeightOrder::NK) {
    const Reg row = times(block.group, p.n), col = times(block.part, p.part_k());
    return {b.address(row, col), p.dtype, b.cols()};
  }
  const Reg row = times(block.group, p.k) + times(block.part, p.part_k());
  return {b.address(row, 0), p.dtype, b.cols()};
}

void stagger(PartBuilder& part, const GemmPlan& plan, CubeMatmul& product) {
  const std::uint32_t slabs = plan.part_k() / plan.tiling().slab_k();
  if (plan.stagger_k && slabs > 1) product.begin_at(part.block_index() % slabs);
}

}  // namespace npu::kernels
