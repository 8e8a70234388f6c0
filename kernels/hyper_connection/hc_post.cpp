#include "kernels/hyper_connection/hc_post.hpp"

#include <string>
#include <vector>

#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

struct Plan {
  RowSplit split;
  std::uint32_t cols, chunk;  ///< of a row of the stack, and of them at a time

  [[nodiscard]] PlanFields fields(const ArchSpec& arch) {
    PlanFields fields = split.fields(arch);
    fields.push_back(
        {"chunk", "columns", "of a row at a time", &chunk, std::min(kChunkGranule, cols), cols, kChunkGranule});
    return fields;
  }
  [[nodiscard]] bool shrink(const ArchSpec& arch, const CapacityError& error) {
    return halve(chunk, kChunkGranule) || split.shrink(arch, error);
  }
};

Plan plan_post(const LayerConfig& cfg, const ArchSpec& arch) {
  constexpr std::uint32_t kBudget = 160 * 1024;  // bytes of UB for chunks
  const std::uint32_t d = cfg.hidden, m = cfg.hc_mult;
  const std::uint32_t column_bytes = 2 * 2 * (m + 1) + 4 * (m + 1) + 2 * 4 + 2 * 2;
  const RowSplit split = split_rows(cfg.tokens(), arch.vector_cores(), 8, column_bytes * std::min(d, 256U), kBudget);
  return {split, d, chunk_columns(d, split.step * column_bytes, kBudget)};
}

//   MTE2   y, x0 .. x3 of chunk 0 | chunk 1 | ...
//   V               widen, y * post0 + x0 * comb00 + ... -> out0 | out1 | out2 | out3 | chunk 1 ...
//   MTE3                                                          out0 | out1 | ...
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const Plan& plan) {
  const std::uint32_t d = cfg.hidden, m = cfg.hc_mult, chunk = plan.chunk;
  const RowSplit& split = plan.split;

  KernelBuilder k{"hc_post", arch};
  const auto y = k.input("y", DType::BF16, d);
  const auto x = k.input("x", DType::BF16, m * d);
  const auto post = k.input("post", DType::F32, m);
  const auto comb = k.input("comb", DType::F32, m * m);
  const auto out = k.output("out", DType::BF16, m * d);

  k.vector([&](PartBuilder& p) {
    const GmTensor y_gm = p.tensor(y), x_gm = p.tensor(x), post_gm = p.tensor(post), comb_gm = p.tensor(comb);
    const GmTensor out_gm = p.tensor(out);
    // Per-token factors; row i of a transposed tile is a column of per-row scalars.
    Ring& factors = p.ring(1, Pipe::MTE2, Pipe::V,
                           {{Space::UB, DType::F32, split.step, m, Layout::ND, "post"},
                            {Space::UB, DType::F32, split.step, m * m, Layout::ND, "comb"}});
    const Tile post_t = p.ub(DType::F32, m, split.step, "post_transposed");
    const Tile comb_t = p.ub(DType::F32, m * m, split.step, "comb_transposed");
    // Member 0 is y, member 1 + i is row i of the stack.
    std::vector<PartBuilder::RingMember> inputs;
    std::vector<Tile> wide;
    for (std::uint32_t i = 0; i <= m; ++i) {
      inputs.push_back({Space::UB, DType::BF16, split.step, chunk, Layout::ND, "in" + std::to_string(i)});
      wide.push_back(p.ub(DType::F32, split.step, chunk, "wide" + std::to_string(i)));
    }
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, inputs);
    const Tile sum_tile = p.ub(DType::F32, split.step, chunk, "sum");
    const Tile term_tile = p.ub(DType::F32, split.step, chunk, "term");
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, split.step, chunk, Layout::ND, "out"}});

    split.for_each_step(p, [&](const Reg& row, const Reg& n) {
      const auto factor = [&](const Tile& rows, std::uint32_t i) {
        return rows.view(i, 0, 1, split.step).as_column().valid(n, 1);  // (n, 1) f32
      };
      factors.produce();
      p.tload(factors[0].valid(n, m), post_gm.at(row, 0));      // (n, M) f32
      p.tload(factors[1].valid(n, m * m), comb_gm.at(row, 0));  // (n, M*M) f32
      factors.push();
      factors.consume();
      p.vec(Opcode::TTrans, post_t.valid(m, n), factors[0].valid(n, m));
      p.vec(Opcode::TTrans, comb_t.valid(m * m, n), factors[1].valid(n, m * m));
      factors.pop();
      p.for_range(0, d, chunk, [&](const Reg& col) {
        const Reg cols = min(p.imm(d) - col, chunk);
        load.produce();
        p.tload(load[0].valid(n, cols), y_gm.at(row, col));  // (n, cols) bf16
        for (std::uint32_t i = 0; i < m; ++i) {
          const Reg from = col + i * d;
          p.tload(load[1 + i].valid(n, cols), x_gm.at(row, from));  // (n, cols) bf16
        }
        load.push();
        load.consume();
        for (std::uint32_t i = 0; i <= m; ++i) p.tcvt(wide[i].valid(n, cols), load[i].valid(n, cols), RoundMode::None);
        load.pop();
        const Tile sum = sum_tile.valid(n, cols), term = term_tile.valid(n, cols);
        for (std::uint32_t o = 0; o < m; ++o) {
          p.vec(Opcode::TRowExpandMul, sum, wide[0].valid(n, cols), factor(post_t, o));
          for (std::uint32_t i = 0; i < m; ++i) {
            p.vec(Opcode::TRowExpandMul, term, wide[1 + i].valid(n, cols), factor(comb_t, i * m + o));
            p.vec(Opcode::TAdd, sum, sum, term);
          }
          store.produce();
          p.tcvt(store[0].valid(n, cols), sum, RoundMode::Rint);
          store.push();
          store.consume();
          const Reg to = col + o * d;
          p.tstore(out_gm.at(row, to), store[0].valid(n, cols));
          store.pop();
        }
      });
    });
  });
  return pack(k, split.blocks());
}

}  // namespace

Kernel hc_post(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("hc_post", plan_post(cfg, arch), arch, choice,
                       [&](const Plan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
