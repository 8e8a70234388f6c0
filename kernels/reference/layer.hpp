// The decode layer as a composition of the reference stages, over all ranks (decode-layer.md S1).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "kernels/reference/compressor.hpp"
#include "kernels/reference/experts.hpp"
#include "kernels/reference/numerics.hpp"

namespace npu::kernels::reference {

/// Kind of the layer from compress_ratios (S16.1). Throws ConfigError for a missing or unknown ratio.
[[nodiscard]] AttentionKind attention_kind(const LayerConfig& config);

/// Hyper-connection weights of a half layer.
struct HcWeights {
  std::span<const float> fn, scale, base;  ///< [X, M*D], [3], [X]
};

/// Inputs of one compressor (shapes in compressor.hpp).
struct CompressorInputs {
  std::span<const isa::Bf16> wkv, wgate;
  std::span<const float> ape, norm_w;
  std::span<float> state;  ///< updated in place
  std::span<const std::int32_t> state_table;
  std::span<const std::int64_t> state_slots, cache_slots;
};

/// Inputs of one rank, in the shapes of S10. Spans that the layer kind does not use stay empty. Pools (kv_cache,
/// cmp_kv, idx_kv_cache, compressor states) are updated in place.
struct LayerInputs {
  std::span<const isa::Bf16> x_hc;
  HcWeights hc_attn, hc_ffn;
  std::span<const float> attn_norm_w;
  std::span<const isa::Bf16> wq_a, wkv, gamma_cq, gamma_ckv;
  std::span<const std::int8_t> wq_b;
  std::span<const float> wq_b_scale;
  std::span<const isa::Bf16> freqs_cos, freqs_sin;  ///< [L, rd]
  std::span<const std::int32_t> position_ids, kv_seq_lens, block_table;
  std::span<const std::int64_t> ori_slot_mapping;
  std::span<isa::Bf16> kv_cache;
  std::span<const float> attn_sink;
  std::span<const isa::Bf16> wo_a;
  std::span<const std::int8_t> wo_b;
  std::span<const float> wo_b_scale;
  // hca, csa
  CompressorInputs main;
  std::span<isa::Bf16> cmp_kv;
  std::span<const std::int32_t> cmp_block_table;
  // csa
  CompressorInputs inner;
  std::span<const std::int8_t> idx_wq_b;
  std::span<const float> idx_wq_b_scale;
  std::span<const isa::Bf16> weights_proj, hadamard_idx;
  std::span<isa::Bf16> idx_kv_cache;
  std::span<const std::int32_t> idx_block_table;
  // experts
  std::span<const float> norm_w, gate_w, gate_bias;
  std::span<const std::int32_t> tid2eid;
  std::span<const std::int64_t> input_ids;
  ExpertWeights shared, routed;
};

/// Results and intermediates of one rank.
struct LayerOutputs {
  std::vector<isa::Bf16> x_mixed, x_normed, rope_cos, rope_sin, q, kv, attention, attn_out, x_attn;
  std::vector<float> post, comb, qr_scale;
  std::vector<std::int8_t> qr;
  std::vector<float> cmp_out, inner_out, idx_score;  ///< hca, csa: cmp_out; csa: all
  std::vector<std::int32_t> idx_topk, sparse_indices;
  std::vector<isa::Bf16> ffn_mixed, x_norm, sh, recv_y, routed_y, ffn_out, x_next;
  std::vector<float> ffn_post, ffn_comb, x_norm_scale, weights, recv_scale, recv_w;
  std::vector<std::int8_t> x_norm_i8, recv_x;
  std::vector<std::int32_t> indices, recv_route, recv_source, recv_count;
};

/// One decode layer on all ranks; inputs[r] belongs to rank r. The same bits for every thread count. Throws ConfigError
/// for tables, slots, ids or positions outside their pools and for more than RECV_MAX rows at an expert.
[[nodiscard]] std::vector<LayerOutputs> decode_layer(const LayerConfig& config, Numerics numerics,
                                                     std::span<const LayerInputs> inputs, unsigned threads = 1);

/// Calls v(name, span) for each input of a layer of this kind, with the names of the golden files ("in." left out).
template <class Visitor>
void visit_inputs(AttentionKind kind, LayerInputs& in, Visitor&& v) {
  v("x_hc", in.x_hc);
  for (const auto& [name, hc] : {std::pair{"hc_attn", &in.hc_attn}, std::pair{"hc_ffn", &in.hc_ffn}}) {
    v(std::string{name} + "_fn", hc->fn);
    v(std::string{name} + "_scale", hc->scale);
    v(std::string{name} + "_base", hc->base);
  }
  v("attn_norm_w", in.attn_norm_w);
  v("wq_a", in.wq_a);
  v("wq_b", in.wq_b);
  v("wq_b_scale", in.wq_b_scale);
  v("wkv", in.wkv);
  v("gamma_cq", in.gamma_cq);
  v("gamma_ckv", in.gamma_ckv);
  v("freqs_cos", in.freqs_cos);
  v("freqs_sin", in.freqs_sin);
  v("position_ids", in.position_ids);
  v("kv_seq_lens", in.kv_seq_lens);
  v("block_table", in.block_table);
  v("ori_slot_mapping", in.ori_slot_mapping);
  v("kv_cache", in.kv_cache);
  v("attn_sink", in.attn_sink);
  v("wo_a", in.wo_a);
  v("wo_b", in.wo_b);
  v("wo_b_scale", in.wo_b_scale);
  const auto compressor_inputs = [&](CompressorInputs& c, const std::string& weights, const std::string& state,
                                     const std::string& cache_slots) {
    v(weights + "_wkv", c.wkv);
    v(weights + "_wgate", c.wgate);
    v(weights + "_ape", c.ape);
    v(weights + "_norm_w", c.norm_w);
    v(state + "_compress_state", c.state);
    v(state + "_compress_state_block_table", c.state_table);
    v(state + "_state_slot_mapping", c.state_slots);
    v(cache_slots, c.cache_slots);
  };
  if (kind != AttentionKind::Swa) {
    const std::string name{name_of(kind)};
    compressor_inputs(in.main, name + "_cmp", name, name + "_cmp_slot_mapping");
    v("cmp_kv", in.cmp_kv);
    v("cmp_block_table", in.cmp_block_table);
  }
  if (kind == AttentionKind::Csa) {
    compressor_inputs(in.inner, "csa_inner", "csa_inner", "csa_idx_slot_mapping");
    v("csa_idx_wq_b", in.idx_wq_b);
    v("csa_idx_wq_b_scale", in.idx_wq_b_scale);
    v("csa_weights_proj", in.weights_proj);
    v("csa_hadamard_idx", in.hadamard_idx);
    v("idx_kv_cache", in.idx_kv_cache);
    v("idx_block_table", in.idx_block_table);
  }
  v("norm_w", in.norm_w);
  v("gate_w", in.gate_w);
  v("gate_bias", in.gate_bias);
  v("tid2eid", in.tid2eid);
  v("input_ids", in.input_ids);
  for (const auto& [name, w] : {std::pair{"shared", &in.shared}, std::pair{"routed", &in.routed}}) {
    const std::string prefix{name};
    v(prefix + "_w1", w->w1);
    v(prefix + "_w1_scale", w->w1_scale);
    v(prefix + "_w3", w->w3);
    v(prefix + "_w3_scale", w->w3_scale);
    v(prefix + "_w2", w->w2);
    v(prefix + "_w2_scale", w->w2_scale);
  }
}

/// Calls v(name, vector) for each result and intermediate of a layer of this kind, with the names of the golden files
/// ("mid.attn.q", "out.x_next"; `attention`, `routed_y`, `recv_route` and `recv_source` are "mid." names of our own).
template <class Outputs, class Visitor>
void visit_outputs(AttentionKind kind, Outputs& out, Visitor&& v) {
  v("mid.attn.x_mixed", out.x_mixed);
  v("mid.attn.post", out.post);
  v("mid.attn.comb", out.comb);
  v("mid.attn.x_normed", out.x_normed);
  v("mid.attn.rope_cos", out.rope_cos);
  v("mid.attn.rope_sin", out.rope_sin);
  v("mid.attn.qr", out.qr);
  v("mid.attn.qr_scale", out.qr_scale);
  v("mid.attn.q", out.q);
  v("mid.attn.kv", out.kv);
  if (kind != AttentionKind::Swa) v("mid.attn.cmp_out", out.cmp_out);
  if (kind == AttentionKind::Csa) {
    v("mid.attn.inner_out", out.inner_out);
    v("mid.attn.idx_score", out.idx_score);
    v("mid.attn.idx_topk", out.idx_topk);
  }
  v("mid.attn.sparse_indices", out.sparse_indices);
  v("mid.attn.attention", out.attention);
  v("mid.attn.attn_out", out.attn_out);
  v("mid.x_attn", out.x_attn);
  v("mid.moe.x_mixed", out.ffn_mixed);
  v("mid.moe.post", out.ffn_post);
  v("mid.moe.comb", out.ffn_comb);
  v("mid.moe.x_norm", out.x_norm);
  v("mid.moe.x_norm_i8", out.x_norm_i8);
  v("mid.moe.x_norm_scale", out.x_norm_scale);
  v("mid.moe.indices", out.indices);
  v("mid.moe.weights", out.weights);
  v("mid.moe.sh", out.sh);
  v("mid.moe.recv_x", out.recv_x);
  v("mid.moe.recv_scale", out.recv_scale);
  v("mid.moe.recv_w", out.recv_w);
  v("mid.moe.recv_route", out.recv_route);
  v("mid.moe.recv_source", out.recv_source);
  v("mid.moe.recv_count", out.recv_count);
  v("mid.moe.recv_y", out.recv_y);
  v("mid.moe.routed_y", out.routed_y);
  v("mid.moe.ffn_out", out.ffn_out);
  v("out.x_next", out.x_next);
}

}  // namespace npu::kernels::reference
