#include "kernels/attention/q_latent.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/attention/row_rms.hpp"
#include "kernels/common/quantise.hpp"
#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Rows of one step: a core's share of the tokens, as far as they fit.
std::uint32_t rows_per_step(std::uint32_t tokens, std::uint32_t cols, const ArchSpec& arch) {
  // two loads in flight, squares, bf16, quantiser, two stores in flight
  const std::uint32_t per_row = cols * (2 * 4 + 4 + 2 + RowQuantiser::kBytesPerElement + 2 * 1) + 512;
  const std::uint32_t once = cols * (2 + 4) + 1024;
  const auto share = static_cast<std::uint32_t>(ceil_div(tokens, arch.vector_cores()));
  return std::clamp(ub_beside(arch, once) / per_row, 1U, share);
}

}  // namespace

//   MTE2   rows 0 | rows 1 | ...                                   a
//   V              rms, gamma, bf16, max, scale | ...
//   MTE3                                        qr, qr_scale | ...
Kernel q_latent(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), cols = cfg.q_lora;
  const std::uint32_t step = rows_per_step(tokens, cols, arch);
  const auto blocks = std::min(static_cast<std::uint32_t>(ceil_div(tokens, step)), arch.vector_cores());

  KernelBuilder k{"q_latent", arch};
  const auto a = k.input("a", DType::F32, cols);
  const auto gamma = k.input("gamma", DType::BF16, cols);
  const auto qr = k.output("qr", DType::I8, cols);
  const auto qr_scale = k.output("qr_scale", DType::F32, 1);
  k.vector([&](PartBuilder& p) {
    const GmTensor a_gm = p.tensor(a), qr_gm = p.tensor(qr), scale_gm = p.tensor(qr_scale);
    const Tile gamma_bf16 = p.ub(DType::BF16, 1, cols, "gamma_bf16"), weight = p.ub(DType::F32, 1, cols, "gamma");
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, step, cols, Layout::ND, "a"}});
    const Tile rounded = p.ub(DType::BF16, step, cols, "rounded");
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3,
                         {{Space::UB, DType::I8, step, cols, Layout::ND, "qr"},
                          {Space::UB, DType::F32, step, 1, Layout::DN, "qr_scale"}});
    RowRms rms{p, step, cols, cfg.eps};
    RowQuantiser quantiser{p, step, cols};
    p.tload(gamma_bf16, p.tensor(gamma).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.tcvt(weight, gamma_bf16, RoundMode::None);
    p.for_range(p.block_index() * step, tokens, blocks * step, [&](const Reg& row) {
      const Reg n = min(p.imm(tokens) - row, step);
      load.produce();
      p.tload(load[0].valid(n, cols), a_gm.at(row, 0));  // (n, ql) f32
      load.push();
      load.consume();
      const Tile v = load[0].valid(n, cols);
      const Tile factor = rms.factor(v, n);
      p.vec(Opcode::TRowExpandMul, v, v, factor);
      p.vec(Opcode::TColExpandMul, v, v, weight);
      p.tcvt(rounded.valid(n, cols), v, RoundMode::Rint);
      p.tcvt(v, rounded.valid(n, cols), RoundMode::None);
      store.produce();
      quantiser.begin(n);
      quantiser.scan(v, n, cols);
      quantiser.finish(store[1], n);
      quantiser.quantise(store[0], v, n, cols);
      load.pop();
      store.push();
      store.consume();
      p.tstore(qr_gm.at(row, 0), store[0].valid(n, cols));
      p.tstore(scale_gm.transposed_at(row, 0), store[1].valid(n, 1));
      store.pop();
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
