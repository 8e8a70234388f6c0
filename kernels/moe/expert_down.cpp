#include "kernels/moe/expert_down.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/moe/expert_rows.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::string_view kName = "routed_down";

struct Plan {
  ExpertRows experts;
  std::uint32_t hidden, inner;  ///< D and MI
  std::uint32_t cols;           ///< of a tile
  MatmulTiling tiling = {};
  std::uint32_t rows = 16;  ///< that a vector core dequantises at a time

  [[nodiscard]] MatmulShape product() const { return {experts.limit, cols, inner, DType::I8, WeightOrder::NK}; }
  [[nodiscard]] PlanFields fields(const ArchSpec& arch);
  [[nodiscard]] bool shrink(const ArchSpec& arch, const CapacityError& error);
};

/// With tiles of up to `widest` columns.
Plan plan_down(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t widest) {
  const ExpertRows experts{cfg.local_experts, cfg.recv_max, std::nullopt};
  Plan plan{experts, cfg.hidden, cfg.moe_inter, experts.tile_columns(kName, cfg.hidden, widest, arch)};
  plan.tiling = plan_matmul(kName, arch, plan.product(), 1);
  return plan;
}

PlanFields Plan::fields(const ArchSpec& arch) {
  constexpr std::uint32_t kMost = 256;
  PlanFields fields{{"columns", "columns", "of a tile of C", &cols, arch.fractal_rows, std::min(hidden, kMost),
                     arch.fractal_rows, hidden}};
  for (const PlanField& field : tiling_fields(tiling, product(), arch, {.rows = true, .columns = false})) {
    fields.push_back(field);
  }
  fields.push_back({"rows", "rows", "that a vector core dequantises at a time", &rows, 1, tiling.base_m});
  return fields;
}

bool Plan::shrink(const ArchSpec& arch, const CapacityError& error) {
  if (error.exceeds(Space::UB) ? halve(rows)
                               : cut_tiling(tiling, product(), arch, error, {.rows = true, .columns = false})) {
    return true;
  }
  const std::uint32_t before = cols;
  cols = experts.tile_columns(kName, hidden, before / 2, arch);
  tiling = plan_matmul(kName, arch, product(), 1);
  return cols < before;
}

//   cube    tile 0: h, w2 slabs ...... | tile 1 ......       h w2^T -> acc -> FIFO slot (GM)
//   vector            tile 0 rows, 16 at a time | ...        slot -> i32 -> f32 -> * row scale -> * column scale -> y
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const Plan& plan) {
  ExpertRows experts = plan.experts;
  const std::uint32_t cols = plan.cols;
  MatmulTiling t = plan.tiling;
  t.base_n = cols;
  const std::uint32_t blocks = std::min(cfg.local_experts * (cfg.hidden / cols), arch.clusters);
  const CrossFifo fifo{.slots = 2, .rows = t.base_m, .cols = t.base_n, .dtype = DType::I32, .full_id = 0, .free_id = 1};

  KernelBuilder k{std::string{kName}, arch};
  const auto h = k.input("h_i8", DType::I8, cfg.moe_inter);
  const auto h_scale = k.input("h_scale", DType::F32, 1);
  const auto route_w = k.input("route_w", DType::F32, 1);
  experts.count = k.input("count", DType::I32, 1);
  const auto w2 = k.input("w2", DType::I8, cfg.moe_inter);
  const auto w2_scale = k.input("w2_scale", DType::F32, cfg.hidden);
  const auto y = k.output("y", DType::BF16, cfg.hidden);
  const auto workspace = k.workspace(DType::I32, t.base_n);

  k.cube([&](PartBuilder& p) {
    const GmTensor h_gm = p.tensor(h), w2_gm = p.tensor(w2);
    CrossFifoWriter out{p, fifo, p.tensor(workspace), p.block_index()};
    CubeMatmul product{p, plan.product(), t};
    experts.for_each_tile(
        p, blocks, t.base_m, cfg.hidden, cols, [&](const Reg& expert, const Reg& row, const Reg& rows, const Reg& col) {
          const Reg w_row = expert * cfg.hidden + col;
          product.tile(h_gm, row, 0, rows, w2_gm, w_row, cols, [&](const Tile& acc) { out.put(acc); });
        });
    out.drain();
  });

  k.vector([&](PartBuilder& p) {
    const GmTensor h_scale_gm = p.tensor(h_scale), route_w_gm = p.tensor(route_w), y_gm = p.tensor(y);
    CrossFifoReader in{p, fifo, p.tensor(workspace), p.block_index()};
    Ring& column_scale = p.ring(1, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, cols, Layout::ND, "w2_scale"}});
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V,
                        {{Space::UB, DType::I32, plan.rows, cols, Layout::ND, "acc"},
                         {Space::UB, DType::F32, plan.rows, 1, Layout::DN, "h_scale"},
                         {Space::UB, DType::F32, plan.rows, 1, Layout::DN, "route_w"}});
    const Tile row_scale = p.column(DType::F32, plan.rows, "row_scale");
    const Tile value = p.ub(DType::F32, plan.rows, cols, "value");
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, plan.rows, cols, Layout::ND, "y"}});
    const Reg sub = p.special(SpecialReg::SubBlock);
    const auto emit_tile = [&](const Reg& expert, const Reg& row, const Reg& rows, const Reg& col) {
      column_scale.produce();
      p.tload(column_scale[0], p.tensor(w2_scale).at(expert, col));  // (1, cols) f32
      column_scale.push();
      column_scale.consume();
      in.get([&](const GmTensor& slot, const Reg& slot_row) {
        p.for_range(sub * plan.rows, rows, 2 * plan.rows, [&](const Reg& r) {  // the two vector cores take turns
          const Reg n = min(rows - r, plan.rows);
          const Reg gm_row = row + r, from = slot_row + r;
          load.produce();
          p.tload(load[0].valid(n, cols), slot.at(from, 0));                  // (n, cols) i32
          p.tload(load[1].valid(n, 1), h_scale_gm.transposed_at(gm_row, 0));  // (n, 1) f32
          p.tload(load[2].valid(n, 1), route_w_gm.transposed_at(gm_row, 0));
          load.push();
          load.consume();
          const Tile v = value.valid(n, cols), s = row_scale.valid(n, 1);
          p.vec(Opcode::TMul, s, load[1].valid(n, 1), load[2].valid(n, 1));
          p.tcvt(v, load[0].valid(n, cols), RoundMode::Rint);
          load.pop();
          p.vec(Opcode::TRowExpandMul, v, v, s);
          p.vec(Opcode::TColExpandMul, v, v, column_scale[0]);
          store.produce();
          const Tile result = store[0].valid(n, cols);
          p.tcvt(result, v, RoundMode::Rint);
          store.push();
          store.consume();
          p.tstore(y_gm.at(gm_row, col), result);
          store.pop();
        });
      });
      column_scale.pop();
    };
    experts.for_each_tile(p, blocks, t.base_m, cfg.hidden, cols, emit_tile);
  });
  return pack(k, blocks, std::uint64_t{blocks} * fifo.bytes());
}

}  // namespace

Kernel routed_down(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  constexpr std::uint32_t kColumns = 128;  // k slabs with 1 KiB rows and two accumulators fit the card
  return build_fitting(kName, plan_down(cfg, arch, kColumns), arch, choice,
                       [&](const Plan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
