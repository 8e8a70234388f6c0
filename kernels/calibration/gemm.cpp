#include "kernels/calibration/gemm.hpp"

#include "kernels/calibration/gemm_operands.hpp"

namespace npu::kernels {

using namespace isa;

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
    stagger(p, plan, product);
    for_each_block(p, plan, [&](const GemmBlock& block) {
      const Reg row = row_of(p, plan, block);
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
