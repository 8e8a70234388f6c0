#include "kernels/attention/indexer_query_rope.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/attention/rope_columns.hpp"
#include "kernels/common/rope.hpp"
#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Rows of one step: at most 32, so that two requests already occupy several cores.
std::uint32_t rows_per_step(const LayerConfig& cfg, const ArchSpec& arch) {
  constexpr std::uint32_t kMaxRows = 32;
  // two loads and two stores in flight
  const std::uint32_t per_row =
      cfg.index_dim * (2 * 4 + 2 * 4) + 2 * cfg.rope_dim + Rope::bytes_per_row(cfg.rope_dim) + 64;
  const std::uint32_t once = Rope::fixed_bytes(cfg.rope_dim) + 1024;
  return std::clamp(ub_beside(arch, once) / per_row, 1U, std::min(kMaxRows, cfg.seq * cfg.index_heads));
}

}  // namespace

// The rows of a request, its tokens' heads, lie together and have one angle.
//
//   MTE2   rows 0, angle 0 | rows 1, angle 1 | ...
//   V                        rotate, round | ...
//   MTE3                                    q | ...
Kernel indexer_query_rope(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t dim = cfg.index_dim, request_rows = cfg.seq * cfg.index_heads;
  const std::uint32_t rope_column = first_rope_column(dim, cfg.rope_dim, "index_dim");
  const std::uint32_t step = rows_per_step(cfg, arch);
  const auto steps = static_cast<std::uint32_t>(ceil_div(request_rows, step));  // of one request
  const std::uint32_t units = cfg.batch * steps, blocks = std::min(units, arch.vector_cores());

  KernelBuilder k{"indexer_query_rope", arch};
  const auto u = k.input("u", DType::F32, cfg.index_heads * dim);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, cfg.rope_dim);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, cfg.rope_dim);
  const auto q = k.output("q", DType::F32, dim);
  k.vector([&](PartBuilder& p) {
    const GmTensor u_gm = p.tensor(u, dim), q_gm = p.tensor(q);  // a row per token and head
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, step, dim, Layout::ND, "u"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, step, dim, Layout::ND, "q"}});
    const Tile rounded = p.ub(DType::BF16, step, cfg.rope_dim, "rounded");
    Rope rope{p, {position_ids, freqs_cos, freqs_sin}, cfg.rope_dim, step, RopeTurn::Forward};
    p.for_range(p.block_index(), units, blocks, [&](const Reg& unit) {
      const Reg request = unit / steps;
      const Reg first = (unit - request * steps) * step;
      const Reg n = min(p.imm(request_rows) - first, step);
      const Reg row = request * request_rows + first;
      load.produce();
      p.tload(load[0].valid(n, dim), u_gm.at(row, 0));  // (n, ih) f32
      load.push();
      rope.load(request * cfg.seq);
      load.consume();
      const Tile turned = load[0].view(0, rope_column, step, cfg.rope_dim);
      rope.turn(turned, n);
      p.tcvt(rounded.valid(n, cfg.rope_dim), turned.valid(n, cfg.rope_dim), RoundMode::Rint);
      p.tcvt(turned.valid(n, cfg.rope_dim), rounded.valid(n, cfg.rope_dim), RoundMode::None);
      store.produce();
      p.vec(Opcode::TCopy, store[0].valid(n, dim), load[0].valid(n, dim));
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
