#include "kernels/reference/hyper_connection.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/parallel.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {
namespace {

using isa::Bf16;

/// Makes the rows (`by_row`) or the columns of the m x m matrix c sum to 1, up to eps.
void normalise(std::span<float> c, std::size_t m, float eps, bool by_row) {
  const std::size_t along = by_row ? 1 : m, across = by_row ? m : 1;
  for (std::size_t i = 0; i < m; ++i) {
    float sum = 0.0F;
    for (std::size_t j = 0; j < m; ++j) sum += c[i * across + j * along];
    for (std::size_t j = 0; j < m; ++j) c[i * across + j * along] /= sum + eps;
  }
}

/// Softmax over the columns of each row, then the Sinkhorn iterations.
void sinkhorn(std::span<float> c, const LayerConfig& config) {
  const std::size_t m = config.hc_mult;
  for (std::size_t r = 0; r < m; ++r) {
    const std::span<float> row = c.subspan(r * m, m);
    const float largest = *std::max_element(row.begin(), row.end());
    float sum = 0.0F;
    for (float& x : row) sum += x = isa::exp_f32(x - largest);
    for (float& x : row) x = x / sum + config.hc_eps;
  }
  normalise(c, m, config.hc_eps, false);
  for (std::uint32_t i = 1; i < config.sinkhorn_iters; ++i) {
    normalise(c, m, config.hc_eps, true);
    normalise(c, m, config.hc_eps, false);
  }
}

/// Per-token factor of the projection of the flat stack.
float stack_factor(std::span<const float> stack, float eps, Numerics numerics) {
  return numerics == Numerics::Golden ? rms_factor(stack, eps) : isa::rsqrt_f32(mean_square(stack, eps));
}

/// Sum of x[h][d] * pre[h] over the stack; `stack` holds M rows of D.
float mixed(const float* stack, std::span<const float> pre, std::size_t d, std::size_t hidden, Numerics numerics) {
  const auto term = [&](std::size_t h) { return stack[h * hidden + d] * pre[h]; };
  float sum = 0.0F;
  if (numerics == Numerics::Golden) {
    for (std::size_t h = 0; h < pre.size(); ++h) sum += term(h);
    return sum;
  }
  for (std::size_t h = 0; h < pre.size(); h += 2) sum += h + 1 < pre.size() ? term(h) + term(h + 1) : term(h);
  return sum;
}

/// out [D] = the stack mixed by `pre`.
void mix_stack(const float* stack, std::span<const float> pre, std::span<Bf16> out, Numerics numerics) {
  const auto mode = numerics == Numerics::Golden ? isa::RoundMode::Round : isa::RoundMode::Rint;
  for (std::size_t d = 0; d < out.size(); ++d) {
    out[d] = isa::to_bf16(mixed(stack, pre, d, out.size(), numerics), mode);
  }
}

}  // namespace

void hc_pre(const LayerConfig& config, Numerics numerics, const HcPreIn& in, const HcPreOut& out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, m = config.hc_mult, width = config.mix_width();
  const std::size_t flat = m * hidden;
  NPU_ASSERT(in.x.size() == tokens * flat && in.fn.size() == width * flat, "hc_pre inputs");
  NPU_ASSERT(in.scale.size() == 3 && in.base.size() == width, "hc_pre scale and base");
  NPU_ASSERT(out.x_mixed.size() == tokens * hidden && out.post.size() == tokens * m, "hc_pre outputs");
  NPU_ASSERT(out.comb.size() == tokens * m * m, "hc_pre comb");

  const std::vector<float> x = widen(in.x);
  std::vector<float> mix(tokens * width);
  matmul_transposed({x.data(), tokens, flat}, Matrix<const float>{in.fn.data(), width, flat},
                    {mix.data(), tokens, width}, threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<const float> stack{&x[t * flat], flat};
    const float factor = stack_factor(stack, config.eps, numerics);
    const auto value = [&](std::size_t column, std::size_t part) {
      return mix[t * width + column] * factor * in.scale[part] + in.base[column];
    };
    std::vector<float> pre(m);
    const std::span<float> comb = out.comb.subspan(t * m * m, m * m);
    for (std::size_t h = 0; h < m; ++h) {
      pre[h] = sigmoid(value(h, 0)) + config.hc_eps;
      out.post[t * m + h] = 2.0F * sigmoid(value(m + h, 1));
    }
    for (std::size_t i = 0; i < m * m; ++i) comb[i] = value(2 * m + i, 2);
    sinkhorn(comb, config);
    mix_stack(stack.data(), pre, out.x_mixed.subspan(t * hidden, hidden), numerics);
  });
}

void hc_post(const LayerConfig& config, const HcPostIn& in, std::span<Bf16> out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, m = config.hc_mult;
  NPU_ASSERT(in.y.size() == tokens * hidden && in.x.size() == tokens * m * hidden, "hc_post inputs");
  NPU_ASSERT(in.post.size() == tokens * m && in.comb.size() == tokens * m * m, "hc_post weights");
  NPU_ASSERT(out.size() == in.x.size(), "hc_post output");
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::vector<float> y = widen(in.y.subspan(t * hidden, hidden));
    const std::vector<float> x = widen(in.x.subspan(t * m * hidden, m * hidden));
    std::vector<float> sum(hidden);
    for (std::size_t o = 0; o < m; ++o) {
      for (std::size_t d = 0; d < hidden; ++d) sum[d] = y[d] * in.post[t * m + o];
      for (std::size_t i = 0; i < m; ++i) {
        const float weight = in.comb[t * m * m + i * m + o];
        for (std::size_t d = 0; d < hidden; ++d) sum[d] += x[i * hidden + d] * weight;
      }
      narrow(sum, out.subspan((t * m + o) * hidden, hidden));
    }
  });
}

void hc_head(const LayerConfig& config, Numerics numerics, const HcHeadIn& in, std::span<Bf16> out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, m = config.hc_mult, flat = m * hidden;
  NPU_ASSERT(in.x.size() == tokens * flat && in.fn.size() == m * flat, "hc_head inputs");
  NPU_ASSERT(in.scale.size() == 1 && in.base.size() == m, "hc_head scale and base");
  NPU_ASSERT(out.size() == tokens * hidden, "hc_head output");
  const std::vector<float> x = widen(in.x);
  std::vector<float> projection(tokens * m);
  matmul_transposed({x.data(), tokens, flat}, Matrix<const float>{in.fn.data(), m, flat},
                    {projection.data(), tokens, m}, threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const float factor = stack_factor({&x[t * flat], flat}, config.eps, numerics);
    std::vector<float> pre(m);
    for (std::size_t h = 0; h < m; ++h) {
      pre[h] = sigmoid(projection[t * m + h] * factor * in.scale[0] + in.base[h]) + config.hc_eps;
    }
    mix_stack(&x[t * flat], pre, out.subspan(t * hidden, hidden), numerics);
  });
}

}  // namespace npu::kernels::reference
