#include "kernels/matmul/quant_matmul.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/matmul/tile_dequantiser.hpp"

namespace npu::kernels {

using namespace isa;

PlanFields QuantMatmulPlan::fields(const ArchSpec& arch) {
  PlanFields fields = tiling_fields(tiling, product(), arch, {.rows = true, .columns = true});
  fields.push_back({"rows", "rows", "that a vector core dequantises at a time", &rows, 1, tiling.base_m});
  return fields;
}

bool QuantMatmulPlan::shrink(const ArchSpec& arch, const CapacityError& error) {
  if (error.exceeds(Space::UB)) return halve(rows) || halve(tiling.base_n, arch.fractal_rows);
  return cut_tiling(tiling, product(), arch, error, {.rows = true, .columns = true});
}

//   cube    tile 0 .......... | tile 1 ..........        x slab, w slab -> acc -> FIFO slot (GM)
//   vector            tile 0 rows, 16 at a time | ...    slot -> i32 -> f32 -> * row scale -> * column scale -> y
Kernel quant_matmul(const QuantMatmulPlan& plan, const std::string& name, const ArchSpec& arch) {
  const QuantMatmulShape& s = plan.shape;
  const MatmulTiling& t = plan.tiling;
  const auto tiles = static_cast<std::uint32_t>(ceil_div(s.n, t.base_n));
  const std::uint32_t blocks = std::min(tiles, arch.clusters);
  const CrossFifo fifo{.slots = 2, .rows = t.base_m, .cols = t.base_n, .dtype = DType::I32, .full_id = 0, .free_id = 1};

  KernelBuilder k{name, arch};
  const auto x = k.input("x", DType::I8, s.k);
  const auto x_scale = k.input("x_scale", DType::F32, 1);
  const auto w = k.input("w", DType::I8, s.order == WeightOrder::NK ? s.k : s.n);
  const auto w_scale = k.input("w_scale", DType::F32, s.n);
  const auto y = k.output("y", s.out, s.n);
  const auto workspace = k.workspace(DType::I32, t.base_n);

  // Both parts walk the same tiles: row tile outside, this block's column tiles inside.
  const auto for_each_tile = [&](PartBuilder& p, const auto& body) {
    p.for_range(0, s.rows, t.base_m, [&](const Reg& row) {
      const Reg rows = min(p.imm(s.rows) - row, t.base_m);
      const Reg first = p.block_index() * t.base_n;
      p.for_range(first, s.n, blocks * t.base_n, [&](const Reg& col) {
        const Reg cols = min(p.imm(s.n) - col, t.base_n);
        body(row, rows, col, cols);
      });
    });
  };

  k.cube([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), w_gm = p.tensor(w);
    CrossFifoWriter out{p, fifo, p.tensor(workspace), p.block_index()};
    CubeMatmul product{p, plan.product(), t};
    for_each_tile(p, [&](const Reg& row, const Reg& rows, const Reg& col, const Reg& cols) {
      product.tile(x_gm, row, 0, rows, w_gm, col, cols, [&](const Tile& acc) { out.put(acc); });
    });
    out.drain();
  });

  k.vector([&](PartBuilder& p) {
    TileDequantiser dequantise{p, {plan.rows, t.base_n, s.out}, p.tensor(x_scale), p.tensor(w_scale), p.tensor(y)};
    CrossFifoReader in{p, fifo, p.tensor(workspace), p.block_index()};
    const Reg sub = p.special(SpecialReg::SubBlock);
    for_each_tile(p, [&](const Reg& row, const Reg& rows, const Reg& col, const Reg& cols) {
      dequantise.begin(0, col, cols);
      in.get([&](const GmTensor& slot, const Reg& slot_row) {  // the two vector cores take turns
        dequantise.rows(slot, slot_row, {row, rows, col, cols}, sub * plan.rows, 2 * plan.rows);
      });
    });
  });
  return pack(k, blocks, std::uint64_t{blocks} * fifo.bytes());
}

QuantMatmulPlan plan_quant_matmul(const std::string& name, const QuantMatmulShape& shape, const ArchSpec& arch) {
  QuantMatmulPlan plan{shape, {}, 16};
  plan.tiling = plan_matmul(name, arch, plan.product(), arch.clusters);
  return plan;
}

Kernel quant_matmul(const std::string& name, const QuantMatmulShape& shape, const ArchSpec& arch,
                    const PlanChoice& choice) {
  return build_fitting(name, plan_quant_matmul(name, shape, arch), arch, choice,
                       [&](const QuantMatmulPlan& plan) { return quant_matmul(plan, name, arch); });
}

}  // namespace npu::kernels
