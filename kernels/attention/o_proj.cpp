#include "kernels/attention/o_proj.hpp"

#include <algorithm>
#include <limits>

#include "isa/units.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/common/quantise.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

std::uint32_t ceil_of(std::uint32_t n, std::uint32_t d) { return static_cast<std::uint32_t>(ceil_div(n, d)); }

/// Column tiles of one group such that the busiest cube computes the fewest columns.
MatmulTiling plan_groups(const ArchSpec& arch, const MatmulShape& group, std::uint32_t groups) {
  MatmulTiling best{};
  std::uint32_t fewest = std::numeric_limits<std::uint32_t>::max();
  for (std::uint32_t parts = 1; parts <= arch.clusters; ++parts) {
    const MatmulTiling t = plan_matmul("o_proj_a", arch, group, parts);
    const std::uint32_t busiest = ceil_of(groups * ceil_of(group.n, t.base_n), arch.clusters) * t.base_n;
    if (busiest < fewest) {
      fewest = busiest;
      best = t;
    }
  }
  return best;
}

//   cube   (group, column tile) by (group, column tile), all tokens: o slab, wo_a slab -> acc -> r
Kernel build_proj(const LayerConfig& cfg, const ArchSpec& arch, const MatmulPlan& plan) {
  const MatmulTiling& t = plan.tiling;
  const std::uint32_t tokens = cfg.tokens(), groups = cfg.o_groups, inner = cfg.group_inner(), latent = cfg.o_lora;
  const std::uint32_t column_tiles = ceil_of(latent, t.base_n), tiles = groups * column_tiles;
  const std::uint32_t blocks = std::min(tiles, arch.clusters);

  KernelBuilder k{"o_proj_a", arch};
  const auto o = k.input("o", DType::BF16, groups * inner);
  const auto wo_a = k.input("wo_a", DType::BF16, inner);
  const auto r = k.output("r", DType::F32, groups * latent);
  k.cube([&](PartBuilder& p) {
    const GmTensor o_gm = p.tensor(o), wo_a_gm = p.tensor(wo_a), r_gm = p.tensor(r);
    CubeMatmul product{p, plan.shape, t};
    p.for_range(p.block_index(), tiles, blocks, [&](const Reg& tile) {
      const Reg g = tile / column_tiles;
      const Reg first = (tile - g * column_tiles) * t.base_n;  // in the group
      const Reg cols = min(p.imm(latent) - first, t.base_n);
      const Reg col = g * latent + first, o_col = g * inner;
      p.for_range(0, tokens, t.base_m, [&](const Reg& row) {
        const Reg rows = min(p.imm(tokens) - row, t.base_m);
        product.tile(o_gm, row, o_col, rows, wo_a_gm, col, cols,
                     [&](const Tile& acc) { p.tstore(r_gm.at(row, col), acc); });
      });
    });
  });
  return pack(k, blocks);
}

struct PiecePlan {
  std::uint32_t cols, piece;  ///< of a row, and of them at a time

  [[nodiscard]] PlanFields fields(const ArchSpec&) {
    return {{"piece", "columns", "of a row at a time", &piece, std::min(kLeast, cols), cols, kGranule}};
  }
  [[nodiscard]] bool shrink(const ArchSpec&, const CapacityError&) { return halve(piece, kLeast); }

 private:
  static constexpr std::uint32_t kLeast = 256, kGranule = 64;
};

//   MTE2   piece 0 | piece 1 | ...                                              a row, piece by piece
//   V               bf16, max | bf16, max | ...  scale | quantise piece 0 | ...  the bf16 row stays in UB
//   MTE3                                                                  o_i8 | ...
Kernel build_quant(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t piece) {
  const std::uint32_t tokens = cfg.tokens(), cols = cfg.o_groups * cfg.o_lora;
  const std::uint32_t blocks = std::min(tokens, arch.vector_cores());

  KernelBuilder k{"o_quant", arch};
  const auto r = k.input("r", DType::F32, cols);
  const auto o_i8 = k.output("o_i8", DType::I8, cols);
  const auto o_scale = k.output("o_scale", DType::F32, 1);
  k.vector([&](PartBuilder& p) {
    const GmTensor r_gm = p.tensor(r), o_gm = p.tensor(o_i8), scale_gm = p.tensor(o_scale);
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, piece, Layout::ND, "r"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I8, 1, piece, Layout::ND, "o_i8"}});
    Ring& store_scale = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, 1, 1, Layout::DN, "o_scale"}});
    const Tile row = p.ub(DType::BF16, 1, cols, "row"), wide = p.ub(DType::F32, 1, piece, "wide");
    RowQuantiser quantiser{p, 1, piece};
    const auto for_each_piece = [&](const auto& body) {
      for (std::uint32_t col = 0; col < cols; col += piece) body(col, std::min(piece, cols - col));
    };
    p.for_range(p.block_index(), tokens, blocks, [&](const Reg& token) {
      quantiser.begin(1);
      for_each_piece([&](std::uint32_t col, std::uint32_t n) {
        load.produce();
        p.tload(load[0].valid(1, n), r_gm.at(token, col));  // (1, n) f32
        load.push();
        load.consume();
        const Tile rounded = row.view(0, col, 1, n);
        p.tcvt(rounded, load[0].valid(1, n), RoundMode::Rint);
        load.pop();
        p.tcvt(wide.valid(1, n), rounded, RoundMode::None);
        quantiser.scan(wide, 1, n);
      });
      store_scale.produce();
      quantiser.finish(store_scale[0], 1);
      store_scale.push();
      store_scale.consume();
      p.tstore(scale_gm.transposed_at(token, 0), store_scale[0]);
      store_scale.pop();
      for_each_piece([&](std::uint32_t col, std::uint32_t n) {
        p.tcvt(wide.valid(1, n), row.view(0, col, 1, n), RoundMode::None);
        store.produce();
        quantiser.quantise(store[0], wide, 1, n);
        store.push();
        store.consume();
        p.tstore(o_gm.at(token, col), store[0].valid(1, n));
        store.pop();
      });
    });
  });
  return pack(k, blocks);
}

}  // namespace

Kernel o_proj_a(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  const MatmulShape group{cfg.tokens(), cfg.o_lora, cfg.group_inner(), DType::BF16, WeightOrder::NK};
  return build_fitting("o_proj_a", MatmulPlan{group, plan_groups(arch, group, cfg.o_groups)}, arch, choice,
                       [&](const MatmulPlan& plan) { return build_proj(cfg, arch, plan); });
}

Kernel o_quant(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  constexpr std::uint32_t kPiece = 4096;  // columns
  const std::uint32_t cols = cfg.o_groups * cfg.o_lora;
  return build_fitting("o_quant", PiecePlan{cols, std::min(cols, kPiece)}, arch, choice,
                       [&](const PiecePlan& plan) { return build_quant(cfg, arch, plan.piece); });
}

}  // namespace npu::kernels
