// Dimensions of one decode layer (decode-layer.md S1); what the kernels, the references and the host agree on.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace npu::kernels {

enum class AttentionKind : std::uint8_t { Swa, Hca, Csa };
[[nodiscard]] constexpr std::string_view name_of(AttentionKind k) {
  return k == AttentionKind::Swa ? "swa" : k == AttentionKind::Hca ? "hca" : "csa";
}

/// Field names follow the metadata of the golden files where those are words; symbols of S1 in the comments.
struct LayerConfig {
  // batch
  std::uint32_t ranks = 2;   ///< R
  std::uint32_t batch = 64;  ///< B, requests per rank
  std::uint32_t seq = 2;     ///< S, tokens per request and step
  // model
  std::uint32_t hidden = 4096;   ///< D
  std::uint32_t heads = 64;      ///< H
  std::uint32_t head_dim = 512;  ///< hd
  std::uint32_t rope_dim = 64;   ///< rd
  std::uint32_t q_lora = 1024;   ///< ql
  std::uint32_t o_lora = 1024;   ///< ol, per group
  std::uint32_t o_groups = 8;    ///< OG
  std::uint32_t window = 128;    ///< W
  std::uint32_t page = 128;      ///< BS, rows of a KV page
  float eps = 1e-6F;             ///< RMS epsilon
  float hc_eps = 1e-6F;
  std::uint32_t hc_mult = 4;  ///< M
  std::uint32_t sinkhorn_iters = 20;
  std::uint32_t vocab = 129280;        ///< V
  std::uint32_t max_positions = 8192;  ///< L
  // experts
  std::uint32_t experts = 64;        ///< E, over all ranks
  std::uint32_t local_experts = 32;  ///< EL
  std::uint32_t top_k = 6;           ///< KE
  std::uint32_t moe_inter = 2048;    ///< MI
  float route_scale = 1.5F;
  float swiglu_limit = 10.0F;  ///< 0: no limit
  std::uint32_t hash_layers = 3;
  std::uint32_t recv_max = 96;  ///< receive rows per local expert
  // compressed attention
  std::uint32_t index_heads = 64;     ///< nh
  std::uint32_t index_dim = 128;      ///< ih
  std::uint32_t index_topk = 512;     ///< KI
  std::uint32_t softmax_block = 128;  ///< key rows per softmax block
  std::uint32_t cmp_max_blocks = 64;  ///< pages of the compressed cache per request
  std::uint32_t idx_max_blocks = 64;
  // compressor state of the ratios 4 and 128: positions of a page, and pages that a request's table names
  std::uint32_t c4_page = 4, c4_max_blocks = 65;
  std::uint32_t c128_page = 8, c128_max_blocks = 64;
  /// Pages that a request holds: its table names them in turn, so that the newest positions live. 0: one per entry.
  std::uint32_t c4_pool_blocks = 0, c128_pool_blocks = 0;
  // rope
  float rope_theta = 10000.0F, compress_rope_theta = 160000.0F, rope_factor = 16.0F;
  std::uint32_t beta_fast = 32, beta_slow = 1, original_positions = 65536;
  // layer
  std::uint32_t layer_id = 0;
  std::uint32_t layers = 43;                   ///< transformer layers, without the MTP head
  std::vector<std::uint32_t> compress_ratios;  ///< per layer: 0, 4 or 128; one more entry where there is an MTP head

  [[nodiscard]] std::uint32_t tokens() const { return batch * seq; }                       ///< T
  [[nodiscard]] std::uint32_t mix_width() const { return (2 + hc_mult) * hc_mult; }        ///< X
  [[nodiscard]] std::uint32_t nope_dim() const { return head_dim - rope_dim; }             ///< nd
  [[nodiscard]] std::uint32_t group_inner() const { return heads * head_dim / o_groups; }  ///< gi
  [[nodiscard]] std::uint32_t routes() const { return tokens() * top_k; }
  [[nodiscard]] std::uint32_t recv_rows() const { return local_experts * recv_max; }
  [[nodiscard]] std::uint32_t c4_pages() const { return c4_pool_blocks == 0 ? c4_max_blocks : c4_pool_blocks; }
  [[nodiscard]] std::uint32_t c128_pages() const { return c128_pool_blocks == 0 ? c128_max_blocks : c128_pool_blocks; }
  [[nodiscard]] bool hash_routing() const { return layer_id < hash_layers; }
};

}  // namespace npu::kernels
