// What each token attends to: the lightning indexer's choice and the index lists (decode-layer.md S5, S6).
#pragma once

#include <cstdint>
#include <span>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

inline constexpr float kNoScore = -3.4028234663852886e38F;  ///< score of an entry that does not exist

struct IndexerIn {
  std::span<const isa::Bf16> x_normed;        ///< [T, D]
  std::span<const std::int8_t> qr;            ///< [T, ql]
  std::span<const float> qr_scale;            ///< [T]
  std::span<const std::int8_t> wq_b;          ///< [ql, nh*ih]
  std::span<const float> wq_b_scale;          ///< [nh*ih]
  std::span<const isa::Bf16> weights_proj;    ///< [D, nh]
  std::span<const isa::Bf16> hadamard;        ///< [ih, ih]
  std::span<const isa::Bf16> cos, sin;        ///< [B, rd], the angle of each request's first token
  std::span<const isa::Bf16> cache;           ///< idx_kv_cache [rows, ih], after the inner compressor
  std::span<const std::int32_t> table;        ///< [B, pages]
  std::span<const std::int32_t> kv_seq_lens;  ///< [B]
};
struct IndexerOut {
  std::span<float> score;        ///< [T, L/4], kNoScore beyond the request's entries
  std::span<std::int32_t> topk;  ///< [T, L/4], codes W+S+entry in descending order of score, then -1
};
/// Equal scores: the smaller entry first, in both numerics. Throws ConfigError for entries outside the cache.
void indexer(const LayerConfig& config, Numerics numerics, const IndexerIn& in, const IndexerOut& out,
             unsigned threads = 1);

/// Columns of an index list.
[[nodiscard]] std::size_t sparse_width(const LayerConfig& config, AttentionKind kind);

struct SparseIndicesIn {
  std::span<const std::int32_t> positions;    ///< [T]
  std::span<const std::int32_t> kv_seq_lens;  ///< [B]
  std::span<const std::int32_t> topk;         ///< csa: [T, L/4]
};
/// indices [T, sparse_width]: -1 none, [0, W) ring slot, W+s token s of this step, W+S+c compressed entry c.
void sparse_indices(const LayerConfig& config, AttentionKind kind, const SparseIndicesIn& in,
                    std::span<std::int32_t> indices);

}  // namespace npu::kernels::reference
