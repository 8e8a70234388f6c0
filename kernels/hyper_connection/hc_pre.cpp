#include "kernels/hyper_connection/hc_pre.hpp"

#include "kernels/hyper_connection/sinkhorn.hpp"
#include "kernels/hyper_connection/stream_mixer.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

//   vector   x -> f32, sum of squares |                 | factors, Sinkhorn | x_mixed
//   cube                              | f32 stack @ fn^T |
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const StreamPlan& plan) {
  const std::uint32_t m = cfg.hc_mult, flat = m * cfg.hidden, width = cfg.mix_width();

  KernelBuilder k{"hc_pre", arch};
  const auto x = k.input("x", DType::BF16, flat);
  const auto fn = k.input("fn", DType::F32, flat);
  const auto scale = k.input("scale", DType::F32, 3);
  const auto base = k.input("base", DType::F32, width);
  const auto x_mixed = k.output("x_mixed", DType::BF16, cfg.hidden);
  const auto post_argument = k.output("post", DType::F32, m);
  const auto comb_argument = k.output("comb", DType::F32, m * m);
  const auto workspace = k.workspace(DType::F32, plan.pitch);

  emit_stream_mix(k, cfg, plan, {x, fn, scale, base, x_mixed, workspace},
                  [&](PartBuilder& p, StreamMixer& mixer, const Reg& row, const Reg& n) {
                    const Tile sigmoids = p.ub(DType::F32, m, plan.share, "post_transposed");
                    const Tile post = p.ub(DType::F32, plan.share, m, "post");
                    const Tile comb = p.ub(DType::F32, plan.share, m * m, "comb");
                    const Tile value = mixer.values(row, n, {m, m, m * m});  // pre, post, comb
                    const Tile post_t = sigmoids.valid(m, n), square = value.view(2 * m, 0, m * m, plan.share);
                    mixer.set_factors(value, n);
                    sigmoid(p, post_t, value.view(m, 0, m, plan.share).valid(m, n));
                    p.vecs(Opcode::TMulS, post_t, post_t, 2.0);
                    p.vec(Opcode::TTrans, post.valid(n, m), post_t);
                    Sinkhorn{p, m, plan.share}.run(square, n, cfg.sinkhorn_iters, cfg.hc_eps);
                    p.vec(Opcode::TTrans, comb.valid(n, m * m), square.valid(m * m, n));
                    p.sync(Pipe::V, Pipe::MTE3);
                    p.tstore(p.tensor(post_argument).at(row, 0), post.valid(n, m));
                    p.tstore(p.tensor(comb_argument).at(row, 0), comb.valid(n, m * m));
                  });
  return pack(k, plan.blocks, plan.workspace_bytes());
}

}  // namespace

Kernel hc_pre(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("hc_pre", plan_streams("hc_pre", cfg, arch, cfg.mix_width()), arch, choice,
                       [&](const StreamPlan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
