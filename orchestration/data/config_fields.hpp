// The one list of LayerConfig's fields: preset files and golden metadata are read and written by it.
#pragma once

#include <string_view>

#include "kernels/common/layer_config.hpp"

namespace npu::orch {

/// Golden files may leave it out: their ratios end with the MTP head's.
inline constexpr std::string_view kLayersKey = "n_layers";

/// Fields that files may leave out, and that are 0 then: a state pool has a page per entry of its table.
[[nodiscard]] constexpr bool may_be_left_out(std::string_view name) {
  return name == "c4_pool_blocks" || name == "c128_pool_blocks";
}

/// Calls visit(field name, key in the golden files' metadata, member) for every field but layer_id, in the order of
/// the struct. The name is what a preset file spells.
template <class Config, class Visitor>
void visit_fields(Config& c, Visitor&& visit) {
  visit("ranks", "n_ranks", c.ranks);
  visit("batch", "B", c.batch);
  visit("seq", "S", c.seq);
  visit("hidden", "D", c.hidden);
  visit("heads", "H", c.heads);
  visit("head_dim", "head_dim", c.head_dim);
  visit("rope_dim", "rope_dim", c.rope_dim);
  visit("q_lora", "q_lora", c.q_lora);
  visit("o_lora", "o_lora", c.o_lora);
  visit("o_groups", "o_groups", c.o_groups);
  visit("window", "win", c.window);
  visit("page", "block_size", c.page);
  visit("eps", "eps", c.eps);
  visit("hc_eps", "hc_eps", c.hc_eps);
  visit("hc_mult", "hc_mult", c.hc_mult);
  visit("sinkhorn_iters", "sinkhorn_iters", c.sinkhorn_iters);
  visit("vocab", "vocab", c.vocab);
  visit("max_positions", "max_seq", c.max_positions);
  visit("experts", "n_experts", c.experts);
  visit("local_experts", "n_local", c.local_experts);
  visit("top_k", "topk", c.top_k);
  visit("moe_inter", "moe_inter", c.moe_inter);
  visit("route_scale", "route_scale", c.route_scale);
  visit("swiglu_limit", "swiglu_limit", c.swiglu_limit);
  visit("hash_layers", "n_hash_layers", c.hash_layers);
  visit("recv_max", "recv_max", c.recv_max);
  visit("index_heads", "idx_heads", c.index_heads);
  visit("index_dim", "idx_head_dim", c.index_dim);
  visit("index_topk", "idx_topk", c.index_topk);
  visit("softmax_block", "attn_k_tile", c.softmax_block);
  visit("cmp_max_blocks", "cmp_max_blocks", c.cmp_max_blocks);
  visit("idx_max_blocks", "idx_max_blocks", c.idx_max_blocks);
  visit("c4_page", "c4_block", c.c4_page);
  visit("c4_max_blocks", "c4_max_blocks", c.c4_max_blocks);
  visit("c128_page", "c128_block", c.c128_page);
  visit("c128_max_blocks", "c128_max_blocks", c.c128_max_blocks);
  visit("c4_pool_blocks", "c4_pool_blocks", c.c4_pool_blocks);
  visit("c128_pool_blocks", "c128_pool_blocks", c.c128_pool_blocks);
  visit("rope_theta", "rope_theta", c.rope_theta);
  visit("compress_rope_theta", "compress_rope_theta", c.compress_rope_theta);
  visit("rope_factor", "rope_factor", c.rope_factor);
  visit("beta_fast", "beta_fast", c.beta_fast);
  visit("beta_slow", "beta_slow", c.beta_slow);
  visit("original_positions", "orig_max_pos", c.original_positions);
  visit("layers", kLayersKey, c.layers);
  visit("compress_ratios", "compress_ratios", c.compress_ratios);
}

}  // namespace npu::orch
