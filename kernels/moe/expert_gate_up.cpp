#include "kernels/moe/expert_gate_up.hpp"

#include <algorithm>
#include <string>

#include "isa/units.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/moe/expert_rows.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

struct Plan {
  ExpertRows experts;
  std::uint32_t hidden, inner;  ///< D and MI
  std::uint32_t half;           ///< columns of a tile in w1 and in w3
  MatmulTiling tiling = {};     ///< of the tiles of both
  std::uint32_t rows = 16;      ///< that a vector core handles at a time

  /// x times half of the columns of w1 and of w3.
  [[nodiscard]] MatmulShape product() const { return {experts.limit, 2 * half, hidden, DType::I8, WeightOrder::NK}; }
  [[nodiscard]] PlanFields fields(const ArchSpec& arch);
  [[nodiscard]] bool shrink(const ArchSpec& arch, const CapacityError& error);
};

/// With tiles of up to `widest` columns of each matrix.
Plan plan_gate_up(const std::string& name, const LayerConfig& cfg, const ArchSpec& arch, const ExpertRows& experts,
                  std::uint32_t widest) {
  Plan plan{experts, cfg.hidden, cfg.moe_inter, experts.tile_columns(name, cfg.moe_inter, widest, arch)};
  plan.tiling = plan_matmul(name, arch, plan.product(), 1);
  return plan;
}

PlanFields Plan::fields(const ArchSpec& arch) {
  constexpr std::uint32_t kMost = 128;
  PlanFields fields{{"half", "columns", "of w1, and as many of w3, in a tile of C", &half, arch.fractal_rows,
                     std::min(inner, kMost), arch.fractal_rows, inner}};
  for (const PlanField& field : tiling_fields(tiling, product(), arch, {.rows = true, .columns = false})) {
    fields.push_back(field);
  }
  fields.push_back({"rows", "rows", "that a vector core handles at a time", &rows, 1, tiling.base_m});
  return fields;
}

/// In `gate`: silu(gate) * up, limited. `work` and `result` are tiles of the same shape.
void emit_swiglu(PartBuilder& p, float limit, const Tile& gate, const Tile& up, const Tile& work, const Tile& result) {
  if (limit > 0) {
    p.vecs(Opcode::TMinS, gate, gate, limit);
    p.vecs(Opcode::TMinS, up, up, limit);
    p.vecs(Opcode::TMaxS, up, up, -limit);
  }
  p.vec(Opcode::TNeg, work, gate);
  p.vec(Opcode::TExp, work, work);  // infinity for a large -g: its reciprocal is 0
  p.vecs(Opcode::TAddS, work, work, 1.0);
  p.vec(Opcode::TRecip, result, work);
  p.vec(Opcode::TMul, gate, gate, result);
  p.vec(Opcode::TMul, result, gate, up);
}

//   cube    tile 0: x, w1, w3 slabs ...... | tile 1 ......       [x w1^T | x w3^T] -> acc -> FIFO slot (GM)
//   vector            tile 0 rows, 16 at a time | ...            slot -> i32 -> f32 -> * scales -> SwiGLU -> h
Kernel build(const std::string& name, const LayerConfig& cfg, const ArchSpec& arch, bool counted, const Plan& plan) {
  ExpertRows experts = plan.experts;
  const std::uint32_t half = plan.half;
  MatmulTiling t = plan.tiling;
  t.base_n = 2 * half;
  const std::uint32_t blocks = std::min(experts.experts * (cfg.moe_inter / half), arch.clusters);
  const CrossFifo fifo{.slots = 2, .rows = t.base_m, .cols = t.base_n, .dtype = DType::I32, .full_id = 0, .free_id = 1};

  KernelBuilder k{name, arch};
  const auto x = k.input("x", DType::I8, cfg.hidden);
  const auto x_scale = k.input("x_scale", DType::F32, 1);
  if (counted) experts.count = k.input("count", DType::I32, 1);
  const auto w1 = k.input("w1", DType::I8, cfg.hidden);
  const auto w1_scale = k.input("w1_scale", DType::F32, cfg.moe_inter);
  const auto w3 = k.input("w3", DType::I8, cfg.hidden);
  const auto w3_scale = k.input("w3_scale", DType::F32, cfg.moe_inter);
  const auto h = k.output("h", DType::F32, cfg.moe_inter);
  const auto workspace = k.workspace(DType::I32, t.base_n);

  k.cube([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), w1_gm = p.tensor(w1), w3_gm = p.tensor(w3);
    CrossFifoWriter out{p, fifo, p.tensor(workspace), p.block_index()};
    CubeMatmul product{p, plan.product(), t};
    experts.for_each_tile(p, blocks, t.base_m, cfg.moe_inter, half,
                          [&](const Reg& expert, const Reg& row, const Reg& rows, const Reg& col) {
                            const Reg w_row = expert * cfg.moe_inter + col;
                            product.tile_pair(x_gm, row, rows, w1_gm, w3_gm, w_row,
                                              [&](const Tile& acc) { out.put(acc); });
                          });
    out.drain();
  });

  k.vector([&](PartBuilder& p) {
    const GmTensor x_scale_gm = p.tensor(x_scale), h_gm = p.tensor(h);
    CrossFifoReader in{p, fifo, p.tensor(workspace), p.block_index()};
    Ring& scale = p.ring(1, Pipe::MTE2, Pipe::V,
                         {{Space::UB, DType::F32, 1, half, Layout::ND, "w1_scale"},
                          {Space::UB, DType::F32, 1, half, Layout::ND, "w3_scale"}});
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V,
                        {{Space::UB, DType::I32, plan.rows, half, Layout::ND, "gate_acc"},
                         {Space::UB, DType::I32, plan.rows, half, Layout::ND, "up_acc"},
                         {Space::UB, DType::F32, plan.rows, 1, Layout::DN, "x_scale"}});
    const Tile gate = p.ub(DType::F32, plan.rows, half, "gate"), up = p.ub(DType::F32, plan.rows, half, "up");
    const Tile work = p.ub(DType::F32, plan.rows, half, "work");
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, plan.rows, half, Layout::ND, "h"}});
    const Reg sub = p.special(SpecialReg::SubBlock);
    const auto emit_tile = [&](const Reg& expert, const Reg& row, const Reg& rows, const Reg& col) {
      scale.produce();
      p.tload(scale[0], p.tensor(w1_scale).at(expert, col));  // (1, half) f32
      p.tload(scale[1], p.tensor(w3_scale).at(expert, col));
      scale.push();
      scale.consume();
      in.get([&](const GmTensor& slot, const Reg& slot_row) {
        p.for_range(sub * plan.rows, rows, 2 * plan.rows, [&](const Reg& r) {  // the two vector cores take turns
          const Reg n = min(rows - r, plan.rows);
          const Reg gm_row = row + r, from = slot_row + r;
          load.produce();
          p.tload(load[0].valid(n, half), slot.at(from, 0));  // (n, half) i32
          p.tload(load[1].valid(n, half), slot.at(from, half));
          p.tload(load[2].valid(n, 1), x_scale_gm.transposed_at(gm_row, 0));  // (n, 1) f32
          load.push();
          load.consume();
          const Tile g = gate.valid(n, half), u = up.valid(n, half);
          p.tcvt(g, load[0].valid(n, half), RoundMode::Rint);
          p.tcvt(u, load[1].valid(n, half), RoundMode::Rint);
          p.vec(Opcode::TRowExpandMul, g, g, load[2].valid(n, 1));
          p.vec(Opcode::TRowExpandMul, u, u, load[2].valid(n, 1));
          load.pop();
          p.vec(Opcode::TColExpandMul, g, g, scale[0]);
          p.vec(Opcode::TColExpandMul, u, u, scale[1]);
          store.produce();
          const Tile result = store[0].valid(n, half);
          emit_swiglu(p, cfg.swiglu_limit, g, u, work.valid(n, half), result);
          store.push();
          store.consume();
          p.tstore(h_gm.at(gm_row, col), result);
          store.pop();
        });
      });
      scale.pop();
    };
    experts.for_each_tile(p, blocks, t.base_m, cfg.moe_inter, half, emit_tile);
  });
  return pack(k, blocks, std::uint64_t{blocks} * fifo.bytes());
}

bool Plan::shrink(const ArchSpec& arch, const CapacityError& error) {
  if (error.exceeds(Space::UB) ? halve(rows)
                               : cut_tiling(tiling, product(), arch, error, {.rows = true, .columns = false})) {
    return true;
  }
  const std::uint32_t before = half;
  half = experts.tile_columns("gate_up", inner, before / 2, arch);
  tiling = plan_matmul("gate_up", arch, product(), 1);
  return half < before;
}

Kernel gate_up(const std::string& name, const LayerConfig& cfg, const ArchSpec& arch, const ExpertRows& experts,
               bool counted, const PlanChoice& choice) {
  constexpr std::uint32_t kColumns = 64;  // k slabs with 1 KiB rows and two accumulators fit the card
  return build_fitting(name, plan_gate_up(name, cfg, arch, experts, kColumns), arch, choice,
                       [&](const Plan& plan) { return build(name, cfg, arch, counted, plan); });
}

}  // namespace

Kernel shared_gate_up(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return gate_up("shared_gate_up", cfg, arch, {1, cfg.tokens(), std::nullopt}, false, choice);
}

Kernel routed_gate_up(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return gate_up("routed_gate_up", cfg, arch, {cfg.local_experts, cfg.recv_max, std::nullopt}, true, choice);
}

}  // namespace npu::kernels
