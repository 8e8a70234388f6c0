#include "kernels/reference/indexer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/parallel.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {
namespace {

using isa::Bf16;

/// Entries of the compressed cache that the indexer scores for a request.
std::size_t scored_entries(std::int32_t kv_seq_len) {
  return kv_seq_len > 0 ? static_cast<std::size_t>(kv_seq_len) / 4 : 0;
}

/// Quantised index queries, one row of ih per token and head.
struct Queries {
  std::vector<std::int8_t> values;
  std::vector<float> scales;
};

Queries index_queries(const LayerConfig& config, const IndexerIn& in, unsigned threads) {
  const std::size_t tokens = config.tokens(), latent = config.q_lora, heads = config.index_heads;
  const std::size_t dim = config.index_dim, rope = config.rope_dim, width = heads * dim;
  std::vector<std::int32_t> acc(tokens * width);
  matmul({in.qr.data(), tokens, latent}, Matrix<const std::int8_t>{in.wq_b.data(), latent, width},
         {acc.data(), tokens, width}, threads);
  std::vector<float> turned(tokens * width);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::size_t b = t / config.seq;
    for (std::size_t h = 0; h < heads; ++h) {
      const std::span<float> head{&turned[t * width + h * dim], dim};
      for (std::size_t i = 0; i < dim; ++i)
        head[i] = dequantise(acc[t * width + h * dim + i], in.qr_scale[t], in.wq_b_scale[h * dim + i]);
      rotate(head.subspan(dim - rope), in.cos.subspan(b * rope, rope), in.sin.subspan(b * rope, rope));
      for (std::size_t i = dim - rope; i < dim; ++i) head[i] = isa::to_float(isa::to_bf16(head[i]));
    }
  });
  std::vector<float> z(tokens * width);
  matmul({turned.data(), tokens * heads, dim}, Matrix<const Bf16>{in.hadamard.data(), dim, dim},
         {z.data(), tokens * heads, dim}, threads);
  Queries queries{std::vector<std::int8_t>(tokens * width), std::vector<float>(tokens * heads)};
  for (std::size_t r = 0; r < tokens * heads; ++r)
    queries.scales[r] = quantise({&z[r * dim], dim}, {&queries.values[r * dim], dim});
  return queries;
}

/// Positions of the largest scores, descending, equal ones in ascending position.
std::vector<std::int32_t> order_by_score(std::span<const float> score) {
  std::vector<std::int32_t> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return score[static_cast<std::size_t>(a)] > score[static_cast<std::size_t>(b)];
  });
  return order;
}

void score_request(const LayerConfig& config, Numerics numerics, const IndexerIn& in, const IndexerOut& out,
                   const Queries& queries, std::span<const float> weights, std::size_t b) {
  const std::size_t seq = config.seq, heads = config.index_heads, dim = config.index_dim;
  const std::size_t length = config.max_positions / 4, n = scored_entries(in.kv_seq_lens[b]);
  if (n > length)
    throw config_error("kv_seq_lens[{}] = {} exceeds the {} positions of the model", b, in.kv_seq_lens[b],
                       config.max_positions);
  if (n == 0) return;
  const PagedRows pages{in.table, config.batch, config.page, in.cache.size() / dim, "idx_block_table"};
  std::vector<std::int8_t> keys(n * dim);
  std::vector<float> key_scales(n);
  for (std::size_t j = 0; j < n; ++j)
    key_scales[j] = quantise(widen(in.cache.subspan(pages.row(b, j) * dim, dim)), {&keys[j * dim], dim});
  std::vector<std::int32_t> dots(seq * heads * n);
  const std::int8_t* request_queries = &queries.values[b * seq * heads * dim];
  matmul_transposed({request_queries, seq * heads, dim}, Matrix<const std::int8_t>{keys.data(), n, dim},
                    {dots.data(), seq * heads, n});
  for (std::size_t s = 0; s < seq; ++s) {
    const std::size_t t = b * seq + s;
    const std::span<float> score = out.score.subspan(t * length, n);
    std::fill(score.begin(), score.end(), 0.0F);
    for (std::size_t h = 0; h < heads; ++h) {
      const float scale = queries.scales[t * heads + h], weight = weights[t * heads + h];
      const std::int32_t* dot = &dots[(s * heads + h) * n];
      for (std::size_t j = 0; j < n; ++j) {
        const float v = numerics == Numerics::Device ? dequantise(dot[j], key_scales[j], scale)
                                                     : dequantise(dot[j], scale, key_scales[j]);
        score[j] += std::max(v, 0.0F) * weight;
      }
    }
    const std::vector<std::int32_t> order = order_by_score(score);
    for (std::size_t i = 0; i < std::min<std::size_t>(config.index_topk, n); ++i)
      out.topk[t * length + i] = order[i] + static_cast<std::int32_t>(config.window + config.seq);
  }
}

/// Codes of the window part of token s of a request whose tokens have the given positions.
void window_codes(const LayerConfig& config, std::span<const std::int32_t> positions, std::size_t s,
                  std::span<std::int32_t> codes) {
  const std::size_t window = config.window, position = static_cast<std::size_t>(positions[s]);
  const bool full = position + 1 >= window;
  std::fill(codes.begin(), codes.end(), -1);
  for (std::size_t k = 0; k < (full ? window : position + 1); ++k) {
    const std::size_t slot = full ? (position % window + 1 + k) % window : k;
    codes[k] = static_cast<std::int32_t>(slot);
    for (std::size_t other = 0; other <= s; ++other)
      if (static_cast<std::size_t>(positions[other]) % window == slot)
        codes[k] = static_cast<std::int32_t>(window + other);
  }
}

}  // namespace

void indexer(const LayerConfig& config, Numerics numerics, const IndexerIn& in, const IndexerOut& out,
             unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, heads = config.index_heads;
  const std::size_t dim = config.index_dim, length = config.max_positions / 4;
  NPU_ASSERT(in.x_normed.size() == tokens * hidden && in.qr.size() == tokens * config.q_lora, "indexer inputs");
  NPU_ASSERT(in.qr_scale.size() == tokens && in.wq_b.size() == config.q_lora * heads * dim, "indexer query weights");
  NPU_ASSERT(in.wq_b_scale.size() == heads * dim && in.hadamard.size() == dim * dim, "indexer scales and hadamard");
  NPU_ASSERT(in.weights_proj.size() == hidden * heads && in.kv_seq_lens.size() == config.batch, "indexer weights");
  NPU_ASSERT(in.cos.size() == std::size_t{config.batch} * config.rope_dim && in.sin.size() == in.cos.size(), "rope");
  NPU_ASSERT(out.score.size() == tokens * length && out.topk.size() == tokens * length, "indexer outputs");

  const Queries queries = index_queries(config, in, threads);
  const std::vector<float> x = widen(in.x_normed);
  std::vector<float> weights(tokens * heads);
  matmul({x.data(), tokens, hidden}, Matrix<const Bf16>{in.weights_proj.data(), hidden, heads},
         {weights.data(), tokens, heads}, threads);
  const auto root = [](std::size_t n) { return 1.0 / std::sqrt(static_cast<double>(n)); };
  const float scale = static_cast<float>(root(dim) * root(heads));
  for (float& w : weights) w *= scale;
  std::fill(out.score.begin(), out.score.end(), kNoScore);
  std::fill(out.topk.begin(), out.topk.end(), -1);
  parallel_for(config.batch, threads,
               [&](std::size_t b) { score_request(config, numerics, in, out, queries, weights, b); });
}

std::size_t sparse_width(const LayerConfig& config, AttentionKind kind) {
  if (kind == AttentionKind::Swa) return config.window;
  if (kind == AttentionKind::Csa) return config.window + config.index_topk;
  return config.window + std::min(config.max_positions / 128, config.index_topk);
}

void sparse_indices(const LayerConfig& config, AttentionKind kind, const SparseIndicesIn& in,
                    std::span<std::int32_t> indices) {
  const std::size_t tokens = config.tokens(), seq = config.seq, window = config.window,
                    length = config.max_positions / 4;
  const std::size_t width = sparse_width(config, kind), tail = width - window;
  NPU_ASSERT(in.positions.size() == tokens && in.kv_seq_lens.size() == config.batch, "sparse_indices inputs");
  NPU_ASSERT(kind != AttentionKind::Csa || in.topk.size() == tokens * length, "sparse_indices top-k");
  NPU_ASSERT(indices.size() == tokens * width, "sparse_indices output");
  const std::int32_t ratio = kind == AttentionKind::Hca ? 128 : 4;
  const auto first = static_cast<std::int32_t>(window + seq);
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::size_t b = t / seq;
    const std::span<std::int32_t> row = indices.subspan(t * width, width);
    window_codes(config, in.positions.subspan(b * seq, seq), t % seq, row.first(window));
    const std::int32_t valid = std::min((in.positions[t] + 1) / ratio, in.kv_seq_lens[b] / ratio);
    for (std::size_t i = 0; i < tail; ++i) {
      const std::int32_t code = kind == AttentionKind::Hca ? first + static_cast<std::int32_t>(i)
                                : i < length               ? in.topk[t * length + i]
                                                           : -1;
      row[window + i] = code >= first && code - first < valid ? code : -1;
    }
  }
}

}  // namespace npu::kernels::reference
