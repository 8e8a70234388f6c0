#include "kernels/matmul/float_matmul.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/fitting.hpp"

namespace npu::kernels {

using namespace isa;

Kernel float_matmul(const MatmulPlan& plan, const std::string& name, const ArchSpec& arch) {
  const MatmulShape& s = plan.shape;
  const MatmulTiling& t = plan.tiling;
  const std::uint32_t blocks = std::min(static_cast<std::uint32_t>(ceil_div(s.n, t.base_n)), arch.clusters);

  KernelBuilder k{name, arch};
  const auto x = k.input("x", s.dtype, s.k);
  const auto w = k.input("w", s.dtype, s.order == WeightOrder::NK ? s.k : s.n);
  const auto y = k.output("y", DType::F32, s.n);
  k.cube([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), w_gm = p.tensor(w), y_gm = p.tensor(y);
    CubeMatmul product{p, s, t};
    p.for_range(0, s.m, t.base_m, [&](const Reg& row) {
      const Reg rows = min(p.imm(s.m) - row, t.base_m);
      const Reg first = p.block_index() * t.base_n;
      p.for_range(first, s.n, blocks * t.base_n, [&](const Reg& col) {
        const Reg cols = min(p.imm(s.n) - col, t.base_n);
        product.tile(x_gm, row, 0, rows, w_gm, col, cols, [&](const Tile& acc) { p.tstore(y_gm.at(row, col), acc); });
      });
    });
  });
  return pack(k, blocks);
}

MatmulPlan plan_float_matmul(const std::string& name, const MatmulShape& shape, const ArchSpec& arch) {
  return {shape, plan_matmul(name, arch, shape, arch.clusters)};
}

Kernel float_matmul(const std::string& name, const MatmulShape& shape, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting(name, plan_float_matmul(name, shape, arch), arch, choice,
                       [&](const MatmulPlan& plan) { return float_matmul(plan, name, arch); });
}

}  // namespace npu::kernels
