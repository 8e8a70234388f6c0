#include "kernels/attention/q_heads.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/attention/rope_columns.hpp"
#include "kernels/attention/row_rms.hpp"
#include "kernels/common/rope.hpp"
#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Heads of one step: equal shares of a token's heads, as many as fit.
std::uint32_t heads_per_step(const LayerConfig& cfg, const ArchSpec& arch) {
  // two loads in flight, squares, two stores in flight
  const std::uint32_t per_row = cfg.head_dim * (2 * 4 + 4 + 2 * 2) + Rope::bytes_per_row(cfg.rope_dim) + 64;
  const std::uint32_t once = Rope::fixed_bytes(cfg.rope_dim) + 1024;
  const std::uint32_t fit = std::clamp(ub_beside(arch, once) / per_row, 1U, cfg.heads);
  return static_cast<std::uint32_t>(ceil_div(cfg.heads, ceil_div(cfg.heads, fit)));
}

}  // namespace

//   MTE2   heads 0, angle 0 | heads 1, angle 1 | ...
//   V                        rms, rotate, scale, bf16 | ...
//   MTE3                                               q | ...
Kernel q_heads(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t dim = cfg.head_dim, heads = cfg.heads, rope_column = first_rope_column(cfg);
  const std::uint32_t step = heads_per_step(cfg, arch);
  const auto steps = static_cast<std::uint32_t>(ceil_div(heads, step));  // of one token
  const std::uint32_t units = cfg.tokens() * steps, blocks = std::min(units, arch.vector_cores());

  KernelBuilder k{"q_heads", arch};
  const auto u = k.input("u", DType::F32, heads * dim);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, cfg.rope_dim);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, cfg.rope_dim);
  const auto q = k.output("q", DType::BF16, heads * dim);
  k.vector([&](PartBuilder& p) {
    const GmTensor u_gm = p.tensor(u, dim), q_gm = p.tensor(q, dim);  // a row per token and head
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, step, dim, Layout::ND, "u"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, step, dim, Layout::ND, "q"}});
    RowRms rms{p, step, dim, cfg.eps};
    Rope rope{p, {position_ids, freqs_cos, freqs_sin}, cfg.rope_dim, step, RopeTurn::Forward};
    p.for_range(p.block_index(), units, blocks, [&](const Reg& unit) {
      const Reg token = unit / steps;
      const Reg first = (unit - token * steps) * step;
      const Reg n = min(p.imm(heads) - first, step);
      const Reg row = token * heads + first;
      load.produce();
      p.tload(load[0].valid(n, dim), u_gm.at(row, 0));  // (n, hd) f32
      load.push();
      rope.load(token);
      load.consume();
      const Tile v = load[0].valid(n, dim);
      const Tile factor = rms.factor(v, n);
      rope.turn(load[0].view(0, rope_column, step, cfg.rope_dim), n);
      p.vec(Opcode::TRowExpandMul, v, v, factor);
      store.produce();
      p.tcvt(store[0].valid(n, dim), v, RoundMode::Rint);
      load.pop();
      store.push();
      store.consume();
      p.tstore(q_gm.at(row, 0), store[0].valid(n, dim));
      store.pop();
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
