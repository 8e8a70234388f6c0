#include "kernels/calibration/gemm.hpp"

#include <algorithm>

namespace npu::kernels {

using namespace isa;

namespace {

/// B of a group, at the first element of a part of k.
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

}  // namespace

//   MTE2   A, B slab 0 | A, B slab 1 | ...            GM -> L1        (l1_buffers in flight, step_k base blocks each)
//   MTE1        left, right 0 | left, right 1 | ...   L1 -> L0A, L0B  (l0_buffers in flight)
//   M                     product 0 | product 1 ...   L0 -> L0C
//   FIX                                       store   L0C -> GM       (acc_buffers in flight)
Kernel gemm(const GemmPlan& wanted, const ArchSpec& arch) {
  const GemmPlan plan = resolved("gemm", wanted, arch);
  KernelBuilder k{"gemm", arch};
  const auto a = k.input("a", plan.dtype, plan.k);
  const auto b = k.input("b", plan.dtype, plan.weight_order() == WeightOrder::NK ? plan.k : plan.n);
  const bool adds = plan.split_k > 1;
  const auto c = adds ? k.inout("c", plan.out, plan.n) : k.output("c", plan.out, plan.n);
  k.cube([&](PartBuilder& p) {
    const GmTensor a_gm = p.tensor(a), b_gm = p.tensor(b), c_gm = p.tensor(c);
    CubeMatmul product{p, plan.shape(), plan.tiling()};
    const std::uint32_t slabs = plan.part_k() / plan.tiling().slab_k();
    if (plan.stagger_k && slabs > 1) product.begin_at(p.block_index() % slabs);
    for_each_block(p, plan, [&](const GemmBlock& block) {
      const Reg row = block.group.reg() != nullptr ? *block.group.reg() * plan.m + block.row : *block.row.reg() + 0;
      const Reg a_col = block.part.reg() != nullptr ? *block.part.reg() * plan.part_k() : p.imm(0);
      const GmTensor b_part = b_of(b_gm, plan, block);
      product.tile(a_gm, row, a_col, block.rows, b_part, block.col, block.cols, [&](const Tile& acc) {
        adds ? p.tstore_add(c_gm.at(row, block.col), acc) : p.tstore(c_gm.at(row, block.col), acc);
      });
    });
  });
  return pack(k, plan.cores);
}

}  // namespace npu::kernels
