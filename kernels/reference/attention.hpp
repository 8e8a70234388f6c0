// Sparse attention with sink, output projection, ring write-back (decode-layer.md S7).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels::reference {

struct SparseAttentionIn {
  std::span<const isa::Bf16> q;              ///< [T, H, hd]
  std::span<const isa::Bf16> ring;           ///< kv_cache [rows, hd], before this step's write-back
  std::span<const std::int32_t> ring_table;  ///< [B, pages]
  std::span<const isa::Bf16> kv;             ///< [T, hd], this step's rows
  std::span<const isa::Bf16> cmp_kv;         ///< [rows, hd]; empty for window attention
  std::span<const std::int32_t> cmp_table;   ///< [B, pages]; empty for window attention
  std::span<const std::int32_t> indices;     ///< [T, columns]
  std::span<const float> sink;               ///< [H]
  std::span<const isa::Bf16> cos, sin;       ///< [T, rd]
};
/// o [T, H, hd] after the inverse rotation; zero for a token whose list is empty. Softmax weights
/// and the rotated output round to even. Throws ConfigError for an index outside the pools.
void sparse_attention(const LayerConfig& config, const SparseAttentionIn& in, std::span<isa::Bf16> o,
                      unsigned threads = 1);

struct OProjIn {
  std::span<const isa::Bf16> o;       ///< [T, H, hd]
  std::span<const isa::Bf16> wo_a;    ///< [OG, ol, gi]
  std::span<const std::int8_t> wo_b;  ///< [D, OG*ol]
  std::span<const float> wo_b_scale;  ///< [D]
};
/// attn_out [T, D]. The grouped product rounds to even.
void o_proj(const LayerConfig& config, const OProjIn& in, std::span<isa::Bf16> attn_out, unsigned threads = 1);

/// ring row slots[t] := kv row t, for t in ascending order; -1 writes nothing. Throws ConfigError for a slot outside
/// the ring. Belongs after the attention has read the ring.
void write_back(const LayerConfig& config, std::span<const isa::Bf16> kv, std::span<const std::int64_t> slots,
                std::span<isa::Bf16> ring);

}  // namespace npu::kernels::reference
