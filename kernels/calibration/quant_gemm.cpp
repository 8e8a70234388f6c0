#include "kernels/calibration/quant_gemm.hpp"

#include "isa/errors.hpp"
#include "kernels/calibration/gemm_operands.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/matmul/tile_dequantiser.hpp"

namespace npu::kernels {

using namespace isa;

//   cube    block 0 ........ | block 1 ........ | ...     x slab, w slab -> acc -> FIFO slot (memory)
//   vector                     block 0, 32 rows at a time | ...          slot -> i32 -> f32 -> scales -> y
Kernel quant_gemm(const QuantGemmPlan& wanted, const ArchSpec& arch) {
  GemmPlan plan = wanted.gemm;
  const DType out = plan.out;
  plan.out = DType::I32;
  plan = resolved("quant-gemm", plan, arch);
  if (plan.split_k > 1) {
    throw config_error(
        "quant-gemm: --split-k adds parts in memory, but rows are scaled before they get there; leave it "
        "out");
  }
  const CrossFifo fifo{.slots = wanted.workspace,
                       .rows = plan.base.m,
                       .cols = plan.base.n,
                       .dtype = DType::I32,
                       .full_id = 0,
                       .free_id = 1};
  KernelBuilder k{"quant_gemm", arch};
  const auto x = k.input("x", DType::I8, plan.k);
  const auto x_scale = k.input("x_scale", DType::F32, 1);
  const auto w = k.input("w", DType::I8, plan.weight_order() == WeightOrder::NK ? plan.k : plan.n);
  const auto w_scale = k.input("w_scale", DType::F32, plan.n);
  const auto y = k.output("y", out, plan.n);
  const auto workspace = k.workspace(DType::I32, plan.base.n);
  k.cube([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), w_gm = p.tensor(w);
    CrossFifoWriter slots{p, fifo, p.tensor(workspace), p.block_index()};
    CubeMatmul product{p, plan.shape(), plan.tiling()};
    stagger(p, plan, product);
    for_each_block(p, plan, [&](const GemmBlock& block) {
      const Reg row = row_of(p, plan, block);
      const GmTensor weights = b_of(w_gm, plan, block);
      product.tile(x_gm, row, 0, block.rows, weights, block.col, block.cols, [&](const Tile& acc) { slots.put(acc); });
    });
    slots.drain();
  });
  k.vector([&](PartBuilder& p) {
    TileDequantiser dequantise{p, {wanted.rows, plan.base.n, out}, p.tensor(x_scale), p.tensor(w_scale), p.tensor(y)};
    CrossFifoReader slots{p, fifo, p.tensor(workspace), p.block_index()};
    // Of one vector core that scales, the other one's first row lies behind every block.
    const Reg first = p.special(SpecialReg::SubBlock) * (wanted.aiv == 2 ? wanted.rows : plan.base.m);
    for_each_block(p, plan, [&](const GemmBlock& block) {
      const Reg row = row_of(p, plan, block);
      dequantise.begin(block.group, block.col, block.cols);
      slots.get([&](const GmTensor& slot, const Reg& slot_row) {
        dequantise.rows(slot, slot_row, {row, block.rows, block.col, block.cols}, first, wanted.aiv * wanted.rows);
      });
    });
  });
  return pack(k, plan.cores, std::uint64_t{plan.cores} * fifo.bytes());
}

}  // namespace npu::kernels
