#include "kernels/reference/experts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/parallel.hpp"
#include "kernels/reference/projections.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {
namespace {

using isa::Bf16;
using Weight = Matrix<const std::int8_t>;

void choose_by_token(const LayerConfig& config, const GateIn& in, std::size_t t, std::span<std::int32_t> ids) {
  const std::int64_t token = in.input_ids[t];
  if (token < 0 || token >= std::int64_t{config.vocab})
    throw config_error("input_ids[{}] = {} lies outside the vocabulary of {}", t, token, config.vocab);
  for (std::size_t k = 0; k < ids.size(); ++k) {
    ids[k] = in.tid2eid[static_cast<std::size_t>(token) * ids.size() + k];
    if (ids[k] < 0 || ids[k] >= static_cast<std::int32_t>(config.experts))
      throw config_error("tid2eid[{}][{}] = {} names none of {} experts", token, k, ids[k], config.experts);
  }
}

void choose_by_score(std::span<const float> score, std::span<const float> bias, std::span<std::int32_t> ids) {
  std::vector<float> biased(score.size());
  std::transform(score.begin(), score.end(), bias.begin(), biased.begin(), std::plus<>{});
  std::vector<std::int32_t> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return biased[static_cast<std::size_t>(a)] > biased[static_cast<std::size_t>(b)];
  });
  std::copy_n(order.begin(), ids.size(), ids.begin());
}

/// sqrt(softplus(z)).
float router_score(float z) { return std::sqrt(std::max(z, 0.0F) + isa::log_f32(isa::exp_f32(-std::fabs(z)) + 1.0F)); }

std::vector<float> dequantised_rows(std::span<const std::int8_t> x, std::span<const float> scale) {
  std::vector<float> out(x.size());
  const std::size_t width = scale.empty() ? 0 : x.size() / scale.size();
  for (std::size_t r = 0; r < scale.size(); ++r)
    for (std::size_t i = r * width; i < (r + 1) * width; ++i) out[i] = static_cast<float>(x[i]) * scale[r];
  return out;
}

/// fp32 x @ w^T: of dequantised operands (Golden), or the exact int8 product dequantised after (Device).
std::vector<float> project(Numerics numerics, std::span<const std::int8_t> x, std::span<const float> x_scale, Weight w,
                           std::span<const float> w_scale, unsigned threads) {
  const std::size_t rows = x_scale.size();
  std::vector<float> out(rows * w.rows);
  if (numerics == Numerics::Golden) {
    const std::vector<float> wide = dequantised_rows(x, x_scale);
    matmul_dequantised({wide.data(), rows, w.cols}, w, w_scale, {out.data(), rows, w.rows}, threads);
    return out;
  }
  std::vector<std::int32_t> acc(out.size());
  matmul_transposed({x.data(), rows, w.cols}, w, {acc.data(), rows, w.rows}, threads);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t n = 0; n < w.rows; ++n)
      out[r * w.rows + n] = dequantise(acc[r * w.rows + n], x_scale[r], w_scale[n]);
  return out;
}

/// x / (1 + exp(-x)): one division (Golden), or times a reciprocal (Device).
float silu(Numerics numerics, float x) {
  const float denominator = 1.0F + isa::exp_f32(-x);
  return numerics == Numerics::Golden ? x / denominator : x * (1.0F / denominator);
}

/// h = silu(gate) * up with the SwiGLU limit, in place in `gate`.
void swiglu(Numerics numerics, std::span<float> gate, std::span<const float> up, float limit) {
  for (std::size_t i = 0; i < gate.size(); ++i) {
    float g = gate[i], u = up[i];
    if (limit > 0.0F) {
      g = std::min(g, limit);
      u = std::clamp(u, -limit, limit);
    }
    gate[i] = silu(numerics, g) * u;
  }
}

}  // namespace

void gate(const LayerConfig& config, const GateIn& in, const GateOut& out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, experts = config.experts, top_k = config.top_k;
  NPU_ASSERT(in.x_mixed.size() == tokens * hidden && in.gate_w.size() == experts * hidden, "gate inputs");
  if (config.hash_routing()) {
    NPU_ASSERT(in.tid2eid.size() == config.vocab * top_k && in.input_ids.size() == tokens, "gate token table and ids");
  } else {
    NPU_ASSERT(in.gate_bias.size() == experts, "gate bias");
  }
  NPU_ASSERT(out.x_norm_i8.size() == tokens * hidden && out.x_norm_scale.size() == tokens, "gate outputs");
  NPU_ASSERT(out.indices.size() == tokens * top_k && out.weights.size() == tokens * top_k, "gate routes");
  rmsnorm(config, in.x_mixed, in.norm_w, out.x_norm, threads);
  const std::vector<float> x = widen(out.x_norm);
  std::vector<float> score(tokens * experts);
  matmul_transposed({x.data(), tokens, hidden}, Matrix<const float>{in.gate_w.data(), experts, hidden},
                    {score.data(), tokens, experts}, threads);
  parallel_for(tokens, threads, [&](std::size_t t) {
    out.x_norm_scale[t] = quantise({&x[t * hidden], hidden}, out.x_norm_i8.subspan(t * hidden, hidden));
    const std::span<float> row{&score[t * experts], experts};
    for (float& z : row) z = router_score(z);
    const std::span<std::int32_t> ids = out.indices.subspan(t * top_k, top_k);
    if (config.hash_routing())
      choose_by_token(config, in, t, ids);
    else
      choose_by_score(row, in.gate_bias, ids);
    float sum = 0.0F;
    for (const std::int32_t id : ids) sum += row[static_cast<std::size_t>(id)];
    for (std::size_t k = 0; k < top_k; ++k)
      out.weights[t * top_k + k] = row[static_cast<std::size_t>(ids[k])] / sum * config.route_scale;
  });
}

void expert(const LayerConfig& config, Numerics numerics, const ExpertIn& in, std::span<Bf16> y, unsigned threads) {
  const std::size_t rows = in.x_scale.size(), hidden = config.hidden, inner = config.moe_inter;
  NPU_ASSERT(in.x.size() == rows * hidden && y.size() == rows * hidden, "expert rows");
  NPU_ASSERT(in.row_weight.empty() || in.row_weight.size() == rows, "expert row weights");
  NPU_ASSERT(in.weights.w1.size() == inner * hidden && in.weights.w3.size() == inner * hidden, "expert w1 and w3");
  NPU_ASSERT(in.weights.w2.size() == inner * hidden && in.weights.w2_scale.size() == hidden, "expert w2");
  const auto into_inner = [&](std::span<const std::int8_t> w, std::span<const float> scale) {
    return project(numerics, in.x, in.x_scale, Weight{w.data(), inner, hidden}, scale, threads);
  };
  std::vector<float> h = into_inner(in.weights.w1, in.weights.w1_scale);
  const std::vector<float> up = into_inner(in.weights.w3, in.weights.w3_scale);
  std::vector<std::int8_t> quantised(rows * inner);
  std::vector<float> scale(rows);
  const bool fold = numerics == Numerics::Device && !in.row_weight.empty();
  parallel_for(rows, threads, [&](std::size_t r) {
    const std::span<float> row{&h[r * inner], inner};
    swiglu(numerics, row, {&up[r * inner], inner}, config.swiglu_limit);
    scale[r] = quantise(row, {&quantised[r * inner], inner});
    if (fold) scale[r] *= in.row_weight[r];
  });
  std::vector<float> result =
      project(numerics, quantised, scale, Weight{in.weights.w2.data(), hidden, inner}, in.weights.w2_scale, threads);
  parallel_for(rows, threads, [&](std::size_t r) {
    const std::span<float> row{&result[r * hidden], hidden};
    if (!fold && !in.row_weight.empty())
      for (float& v : row) v *= in.row_weight[r];
    narrow(row, y.subspan(r * hidden, hidden));
  });
}

void routed_experts(const LayerConfig& config, Numerics numerics, const RoutedExpertsIn& in, std::span<Bf16> recv_y,
                    unsigned threads) {
  const std::size_t local = config.local_experts, limit = config.recv_max, hidden = config.hidden;
  const std::size_t inner = config.moe_inter, weight = inner * hidden;
  NPU_ASSERT(in.recv_x.size() == local * limit * hidden && recv_y.size() == in.recv_x.size(), "routed expert rows");
  NPU_ASSERT(in.recv_scale.size() == local * limit && in.recv_w.size() == local * limit, "routed expert scales");
  NPU_ASSERT(in.recv_count.size() == local && in.weights.w1.size() == local * weight, "routed expert weights");
  std::fill(recv_y.begin(), recv_y.end(), Bf16{});
  for (std::size_t e = 0; e < local; ++e) {
    const auto rows = static_cast<std::size_t>(in.recv_count[e]);
    NPU_ASSERT(rows <= limit, "rows of an expert");
    if (rows == 0) continue;
    const ExpertWeights& w = in.weights;
    const ExpertIn one{in.recv_x.subspan(e * limit * hidden, rows * hidden),
                       in.recv_scale.subspan(e * limit, rows),
                       in.recv_w.subspan(e * limit, rows),
                       {w.w1.subspan(e * weight, weight), w.w3.subspan(e * weight, weight),
                        w.w2.subspan(e * weight, weight), w.w1_scale.subspan(e * inner, inner),
                        w.w3_scale.subspan(e * inner, inner), w.w2_scale.subspan(e * hidden, hidden)}};
    expert(config, numerics, one, recv_y.subspan(e * limit * hidden, rows * hidden), threads);
  }
}

}  // namespace npu::kernels::reference
