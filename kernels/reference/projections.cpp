#include "kernels/reference/projections.hpp"

#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/parallel.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {

using isa::Bf16;

void rmsnorm(const LayerConfig& config, std::span<const Bf16> x, std::span<const float> weight, std::span<Bf16> out,
             unsigned threads) {
  const std::size_t hidden = config.hidden;
  NPU_ASSERT(x.size() == out.size() && x.size() % hidden == 0 && weight.size() == hidden, "rmsnorm operands");
  parallel_for(x.size() / hidden, threads, [&](std::size_t t) {
    std::vector<float> row = widen(x.subspan(t * hidden, hidden));
    const float factor = rms_factor(row, config.eps);
    for (std::size_t d = 0; d < hidden; ++d) row[d] = row[d] * factor * weight[d];
    narrow(row, out.subspan(t * hidden, hidden));
  });
}

void q_latent(const LayerConfig& config, const QLatentIn& in, const QLatentOut& out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, latent = config.q_lora;
  NPU_ASSERT(in.x_normed.size() == tokens * hidden && in.wq_a.size() == hidden * latent, "q_latent inputs");
  NPU_ASSERT(in.gamma_cq.size() == latent, "q_latent gamma");
  NPU_ASSERT(out.qr.size() == tokens * latent && out.qr_scale.size() == tokens, "q_latent outputs");
  const std::vector<float> x = widen(in.x_normed), gamma = widen(in.gamma_cq);
  std::vector<float> a(tokens * latent);
  matmul({x.data(), tokens, hidden}, Matrix<const Bf16>{in.wq_a.data(), hidden, latent}, {a.data(), tokens, latent},
         threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<float> row{&a[t * latent], latent};
    const float factor = rms_factor(row, config.eps);
    for (std::size_t i = 0; i < latent; ++i) row[i] = isa::to_float(isa::to_bf16(row[i] * factor * gamma[i]));
    out.qr_scale[t] = quantise(row, out.qr.subspan(t * latent, latent));
  });
}

void q_heads(const LayerConfig& config, Numerics numerics, const QHeadsIn& in, std::span<Bf16> q, unsigned threads) {
  const std::size_t tokens = config.tokens(), latent = config.q_lora, heads = config.heads, dim = config.head_dim;
  const std::size_t rope = config.rope_dim, nope = config.nope_dim(), width = heads * dim;
  NPU_ASSERT(in.qr.size() == tokens * latent && in.qr_scale.size() == tokens, "q_heads latent");
  NPU_ASSERT(in.wq_b.size() == latent * width && in.wq_b_scale.size() == width, "q_heads weights");
  NPU_ASSERT(in.cos.size() == tokens * rope && in.sin.size() == tokens * rope, "q_heads rope rows");
  NPU_ASSERT(q.size() == tokens * width, "q_heads output");
  std::vector<std::int32_t> acc(tokens * width);
  matmul({in.qr.data(), tokens, latent}, Matrix<const std::int8_t>{in.wq_b.data(), latent, width},
         {acc.data(), tokens, width}, threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<const Bf16> cos = in.cos.subspan(t * rope, rope), sin = in.sin.subspan(t * rope, rope);
    std::vector<float> head(dim);
    for (std::size_t h = 0; h < heads; ++h) {
      const std::size_t first = t * width + h * dim;
      for (std::size_t i = 0; i < dim; ++i)
        head[i] = dequantise(acc[first + i], in.qr_scale[t], in.wq_b_scale[h * dim + i]);
      const float factor = rms_factor(head, config.eps);
      const std::span<float> turned = std::span{head}.subspan(nope);
      if (numerics == Numerics::Device) rotate(turned, cos, sin);
      for (float& x : head) x *= factor;
      if (numerics == Numerics::Golden) rotate(turned, cos, sin);
      narrow(head, q.subspan(first, dim));
    }
  });
}

void kv_row(const LayerConfig& config, const KvRowIn& in, std::span<Bf16> kv, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, dim = config.head_dim, rope = config.rope_dim;
  NPU_ASSERT(in.x_normed.size() == tokens * hidden && in.wkv.size() == hidden * dim, "kv_row inputs");
  NPU_ASSERT(in.gamma_ckv.size() == dim && kv.size() == tokens * dim, "kv_row gamma and output");
  NPU_ASSERT(in.cos.size() == tokens * rope && in.sin.size() == tokens * rope, "kv_row rope rows");
  const std::vector<float> x = widen(in.x_normed), gamma = widen(in.gamma_ckv);
  std::vector<float> k(tokens * dim);
  matmul({x.data(), tokens, hidden}, Matrix<const Bf16>{in.wkv.data(), hidden, dim}, {k.data(), tokens, dim}, threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<float> row{&k[t * dim], dim};
    const float factor = rms_factor(row, config.eps);
    for (std::size_t i = 0; i < dim; ++i) row[i] = row[i] * factor * gamma[i];
    rotate(row.subspan(config.nope_dim()), in.cos.subspan(t * rope, rope), in.sin.subspan(t * rope, rope));
    narrow(row, kv.subspan(t * dim, dim));
  });
}

}  // namespace npu::kernels::reference
