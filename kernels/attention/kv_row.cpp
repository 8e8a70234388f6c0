#include "kernels/attention/kv_row.hpp"

#include <algorithm>

#include "kernels/attention/rope_columns.hpp"
#include "kernels/attention/row_rms.hpp"
#include "kernels/common/rope.hpp"

namespace npu::kernels {

using namespace isa;

//   MTE2   row 0, angle 0 | row 1, angle 1 | ...        one token a step
//   V                      rms, gamma, rotate, bf16 | ...
//   MTE3                                             kv | ...
Kernel kv_row(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), dim = cfg.head_dim, rope_column = first_rope_column(cfg);
  const std::uint32_t blocks = std::min(tokens, arch.vector_cores());

  KernelBuilder builder{"kv_row", arch};
  const auto k = builder.input("k", DType::F32, dim);
  const auto gamma = builder.input("gamma", DType::BF16, dim);
  const auto position_ids = builder.input("position_ids", DType::I32, 1);
  const auto freqs_cos = builder.input("freqs_cos", DType::BF16, cfg.rope_dim);
  const auto freqs_sin = builder.input("freqs_sin", DType::BF16, cfg.rope_dim);
  const auto kv = builder.output("kv", DType::BF16, dim);
  builder.vector([&](PartBuilder& p) {
    const GmTensor k_gm = p.tensor(k), kv_gm = p.tensor(kv);
    const Tile gamma_bf16 = p.ub(DType::BF16, 1, dim, "gamma_bf16"), weight = p.ub(DType::F32, 1, dim, "gamma");
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, dim, Layout::ND, "k"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, 1, dim, Layout::ND, "kv"}});
    RowRms rms{p, 1, dim, cfg.eps};
    Rope rope{p, {position_ids, freqs_cos, freqs_sin}, cfg.rope_dim, 1, RopeTurn::Forward};
    p.tload(gamma_bf16, p.tensor(gamma).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.tcvt(weight, gamma_bf16, RoundMode::None);
    p.for_range(p.block_index(), tokens, blocks, [&](const Reg& token) {
      load.produce();
      p.tload(load[0], k_gm.at(token, 0));  // (1, hd) f32
      load.push();
      rope.load(token);
      load.consume();
      const Tile factor = rms.factor(load[0], 1);
      p.vec(Opcode::TRowExpandMul, load[0], load[0], factor);
      p.vec(Opcode::TMul, load[0], load[0], weight);
      rope.turn(load[0].view(0, rope_column, 1, cfg.rope_dim), 1);
      store.produce();
      p.tcvt(store[0], load[0], RoundMode::Rint);
      load.pop();
      store.push();
      store.consume();
      p.tstore(kv_gm.at(token, 0), store[0]);
      store.pop();
    });
  });
  return pack(builder, blocks);
}

}  // namespace npu::kernels
