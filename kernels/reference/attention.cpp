#include "kernels/reference/attention.hpp"

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

constexpr float kMasked = -1.0e20F;

/// Key rows of one token, which are its value rows too; rows of "none" are zero and not `valid`.
struct Gathered {
  std::vector<float> rows;
  std::vector<bool> valid;
  bool empty = true;
};

Gathered gather(const LayerConfig& config, const SparseAttentionIn& in, std::size_t t) {
  const std::size_t dim = config.head_dim, seq = config.seq, window = config.window, b = t / seq;
  const std::size_t columns = in.indices.size() / config.tokens(), block = config.softmax_block;
  const std::size_t padded = std::max<std::size_t>(2, (columns + block - 1) / block) * block;
  const PagedRows ring{in.ring_table, config.batch, config.page, in.ring.size() / dim, "block_table"};
  const PagedRows compressed{in.cmp_table, config.batch, config.page, in.cmp_kv.size() / dim, "cmp_block_table"};
  Gathered kv{std::vector<float>(padded * dim, 0.0F), std::vector<bool>(padded, false)};
  for (std::size_t j = 0; j < columns; ++j) {
    const std::int32_t code = in.indices[t * columns + j];
    if (code < 0) continue;
    const auto index = static_cast<std::size_t>(code);
    std::span<const Bf16> row;
    if (index < window)
      row = in.ring.subspan(ring.row(b, index) * dim, dim);
    else if (index < window + seq)
      row = in.kv.subspan((b * seq + index - window) * dim, dim);
    else
      row = in.cmp_kv.subspan(compressed.row(b, index - window - seq) * dim, dim);
    std::transform(row.begin(), row.end(), &kv.rows[j * dim], [](Bf16 x) { return isa::to_float(x); });
    kv.valid[j] = true;
    kv.empty = false;
  }
  return kv;
}

/// Running softmax state of all heads of a token.
struct Softmax {
  std::vector<float> largest, sum, out;  ///< [H], [H], [H, hd]
};

/// Softmax of one block of key rows, on its own.
Softmax block_softmax(const LayerConfig& config, std::span<const float> q, const Gathered& kv, std::size_t first) {
  const std::size_t heads = config.heads, dim = config.head_dim, block = config.softmax_block;
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  const Matrix<const float> keys{&kv.rows[first * dim], block, dim};
  std::vector<float> score(heads * block);
  matmul_transposed({q.data(), heads, dim}, keys, {score.data(), heads, block});
  Softmax result{std::vector<float>(heads), std::vector<float>(heads), std::vector<float>(heads * dim)};
  for (std::size_t h = 0; h < heads; ++h) {
    const std::span<float> row{&score[h * block], block};
    for (std::size_t j = 0; j < block; ++j) row[j] = kv.valid[first + j] ? row[j] * scale : kMasked;
    result.largest[h] = *std::max_element(row.begin(), row.end());
    for (float& x : row) x -= result.largest[h];
    isa::exp_f32(row.data(), row.data(), block);
    for (std::size_t j = 0; j < block; ++j)
      if (!kv.valid[first + j]) row[j] = 0.0F;
    result.sum[h] = sum_of(row);
    for (float& x : row) x = isa::to_float(isa::to_bf16(x));
  }
  matmul({score.data(), heads, block}, keys, {result.out.data(), heads, dim});
  return result;
}

void merge(Softmax& total, const Softmax& block, std::size_t dim) {
  for (std::size_t h = 0; h < total.sum.size(); ++h) {
    const float largest = std::max(total.largest[h], block.largest[h]);
    const float keep = isa::exp_f32(total.largest[h] - largest), add = isa::exp_f32(block.largest[h] - largest);
    total.sum[h] = keep * total.sum[h] + add * block.sum[h];
    for (std::size_t i = h * dim; i < (h + 1) * dim; ++i) total.out[i] = keep * total.out[i] + add * block.out[i];
    total.largest[h] = largest;
  }
}

}  // namespace

void sparse_attention(const LayerConfig& config, const SparseAttentionIn& in, std::span<Bf16> o, unsigned threads) {
  const std::size_t tokens = config.tokens(), heads = config.heads, dim = config.head_dim, rope = config.rope_dim;
  NPU_ASSERT(in.q.size() == tokens * heads * dim && o.size() == in.q.size(), "attention queries and output");
  NPU_ASSERT(in.kv.size() == tokens * dim && in.ring.size() % dim == 0 && in.cmp_kv.size() % dim == 0, "KV rows");
  NPU_ASSERT(in.indices.size() % tokens == 0 && in.sink.size() == heads, "attention indices and sink");
  NPU_ASSERT(in.cos.size() == tokens * rope && in.sin.size() == tokens * rope, "attention rope rows");
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<Bf16> token = o.subspan(t * heads * dim, heads * dim);
    const Gathered kv = gather(config, in, t);
    if (kv.empty) {
      std::fill(token.begin(), token.end(), Bf16{});
      return;
    }
    const std::vector<float> q = widen(in.q.subspan(t * heads * dim, heads * dim));
    Softmax total = block_softmax(config, q, kv, 0);
    for (std::size_t first = config.softmax_block; first < kv.valid.size(); first += config.softmax_block)
      merge(total, block_softmax(config, q, kv, first), dim);
    for (std::size_t h = 0; h < heads; ++h) {
      const std::span<float> head{&total.out[h * dim], dim};
      const float denominator = total.sum[h] + isa::exp_f32(in.sink[h] - total.largest[h]);
      for (float& x : head) x /= denominator;
      rotate(head.subspan(config.nope_dim()), in.cos.subspan(t * rope, rope), in.sin.subspan(t * rope, rope),
             Turn::Inverse);
      narrow(head, token.subspan(h * dim, dim));
    }
  });
}

void o_proj(const LayerConfig& config, const OProjIn& in, std::span<Bf16> attn_out, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, groups = config.o_groups, latent = config.o_lora;
  const std::size_t inner = config.group_inner(), width = groups * latent, pitch = groups * inner;
  NPU_ASSERT(in.o.size() == tokens * pitch && in.wo_a.size() == width * inner, "o_proj inputs");
  NPU_ASSERT(in.wo_b.size() == hidden * width && in.wo_b_scale.size() == hidden, "o_proj weights");
  NPU_ASSERT(attn_out.size() == tokens * hidden, "o_proj output");
  const std::vector<float> o = widen(in.o);
  std::vector<float> r(tokens * width);
  for (std::size_t g = 0; g < groups; ++g)
    matmul_transposed({&o[g * inner], tokens, inner, pitch},
                      Matrix<const Bf16>{&in.wo_a[g * latent * inner], latent, inner},
                      {&r[g * latent], tokens, latent, width}, threads);
  std::vector<std::int8_t> quantised(tokens * width);
  std::vector<float> scale(tokens);
  parallel_for(tokens, threads, [&](std::size_t t) {
    const std::span<float> row{&r[t * width], width};
    for (float& x : row) x = isa::to_float(isa::to_bf16(x));
    scale[t] = quantise(row, {&quantised[t * width], width});
  });
  std::vector<std::int32_t> acc(tokens * hidden);
  matmul_transposed({quantised.data(), tokens, width}, Matrix<const std::int8_t>{in.wo_b.data(), hidden, width},
                    {acc.data(), tokens, hidden}, threads);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t d = 0; d < hidden; ++d)
      attn_out[t * hidden + d] = isa::to_bf16(dequantise(acc[t * hidden + d], scale[t], in.wo_b_scale[d]));
}

void write_back(const LayerConfig& config, std::span<const Bf16> kv, std::span<const std::int64_t> slots,
                std::span<Bf16> ring) {
  const std::size_t dim = config.head_dim;
  NPU_ASSERT(slots.size() == config.tokens() && kv.size() == slots.size() * dim, "write_back operands");
  for (std::size_t t = 0; t < slots.size(); ++t) {
    if (slots[t] < 0) continue;
    const std::size_t row = checked_slot(slots[t], ring.size() / dim, "ori_slot_mapping");
    std::copy_n(&kv[t * dim], dim, &ring[row * dim]);
  }
}

}  // namespace npu::kernels::reference
