#include "kernels/matmul/quant_matmul.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/matmul/tile_dequantiser.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

struct Plan {
  MatmulTiling tiling;
  std::uint32_t rows;  ///< that a vector core dequantises at a time
};

//   cube    tile 0 .......... | tile 1 ..........        x slab, w slab -> acc -> FIFO slot (GM)
//   vector            tile 0 rows, 16 at a time | ...    slot -> i32 -> f32 -> * row scale -> * column scale -> y
Kernel build(const std::string& name, const QuantMatmulShape& s, const ArchSpec& arch, const MatmulShape& matmul,
             const Plan& plan) {
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
  const auto workspace = k.inout("workspace", DType::I32, t.base_n);

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
    CubeMatmul product{p, matmul, t};
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

}  // namespace

Kernel quant_matmul(const std::string& name, const QuantMatmulShape& s, const ArchSpec& arch) {
  const MatmulShape matmul{s.rows, s.n, s.k, DType::I8, s.order};
  const auto smaller = [&](Plan& plan, const CapacityError& e) {
    if (e.exceeds(Space::UB)) return halve(plan.rows) || halve(plan.tiling.base_n, arch.fractal_rows);
    return cut_tiling(plan.tiling, matmul, arch, e, {.rows = true, .columns = true});
  };
  return build_fitting(Plan{plan_matmul(name, arch, matmul, arch.clusters), 16}, smaller,
                       [&](const Plan& plan) { return build(name, s, arch, matmul, plan); });
}

}  // namespace npu::kernels
