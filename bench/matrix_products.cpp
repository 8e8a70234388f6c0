#include "bench/matrix_products.hpp"

#include <algorithm>

namespace npu::bench {

using isa::DType;
using kernels::AttentionKind;

std::vector<Product> matrix_products(const kernels::LayerConfig& c, AttentionKind kind) {
  std::vector<Product> list;
  const std::uint64_t ranks = c.ranks, tokens = c.tokens();
  const auto add = [&](std::string_view stage, DType dtype, std::uint64_t m, std::uint64_t n, std::uint64_t k,
                       std::uint64_t per_rank = 1) {
    list.push_back({stage, dtype, m, n, k, per_rank * ranks});
  };

  add("hc_pre", DType::F32, tokens, c.mix_width(), std::uint64_t{c.hc_mult} * c.hidden, 2);
  add("q_latent", DType::BF16, tokens, c.q_lora, c.hidden);
  add("q_heads", DType::I8, tokens, std::uint64_t{c.heads} * c.head_dim, c.q_lora);
  add("kv_row", DType::BF16, tokens, c.head_dim, c.hidden);
  std::uint64_t list_width = c.window;
  if (kind == AttentionKind::Hca) {
    add("compressor128", DType::BF16, tokens, c.head_dim, c.hidden, 2);
    list_width += std::min(c.max_positions / 128, c.index_topk);
  }
  if (kind == AttentionKind::Csa) {
    add("compressor4", DType::BF16, tokens, 2ULL * c.head_dim, c.hidden, 2);
    add("compressor4 inner", DType::BF16, tokens, 2ULL * c.index_dim, c.hidden, 2);
    add("indexer queries", DType::I8, tokens, std::uint64_t{c.index_heads} * c.index_dim, c.q_lora);
    add("indexer rotation", DType::BF16, tokens * c.index_heads, c.index_dim, c.index_dim);
    add("indexer weights", DType::BF16, tokens, c.index_heads, c.hidden);
    list_width += c.index_topk;
  }
  add("attention scores", DType::BF16, c.heads, list_width, c.head_dim, tokens);
  add("attention values", DType::BF16, c.heads, c.head_dim, list_width, tokens);
  add("o_proj a", DType::BF16, tokens, c.o_lora, c.group_inner(), c.o_groups);
  add("o_proj b", DType::I8, tokens, c.hidden, std::uint64_t{c.o_groups} * c.o_lora);
  add("gate", DType::F32, tokens, c.experts, c.hidden);
  add("shared expert up", DType::I8, tokens, c.moe_inter, c.hidden, 2);
  add("shared expert down", DType::I8, tokens, c.hidden, c.moe_inter);
  const std::uint64_t rows = std::max<std::uint64_t>(1, ranks * c.routes() / c.experts);
  add("routed experts up", DType::I8, rows, c.moe_inter, c.hidden, 2ULL * c.local_experts);
  add("routed experts down", DType::I8, rows, c.hidden, c.moe_inter, c.local_experts);
  return list;
}

}  // namespace npu::bench
