#include "kernels/hyper_connection/hc_head.hpp"

#include "kernels/hyper_connection/stream_mixer.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

//   vector   x -> f32, sum of squares |                 | factors | x_head
//   cube                              | f32 stack @ fn^T |
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const StreamPlan& plan) {
  const std::uint32_t m = cfg.hc_mult, flat = m * cfg.hidden;

  KernelBuilder k{"hc_head", arch};
  const auto x = k.input("x", DType::BF16, flat);
  const auto fn = k.input("fn", DType::F32, flat);
  const auto scale = k.input("scale", DType::F32, 1);
  const auto base = k.input("base", DType::F32, m);
  const auto x_head = k.output("x_head", DType::BF16, cfg.hidden);
  const auto workspace = k.workspace(DType::F32, plan.pitch);

  emit_stream_mix(k, cfg, plan, {x, fn, scale, base, x_head, workspace},
                  [&](PartBuilder&, StreamMixer& mixer, const Reg& row, const Reg& n) {
                    mixer.set_factors(mixer.values(row, n, {m}), n);
                  });
  return pack(k, plan.blocks, plan.workspace_bytes());
}

}  // namespace

Kernel hc_head(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("hc_head", plan_streams("hc_head", cfg, arch, cfg.hc_mult), arch, choice,
                       [&](const StreamPlan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
