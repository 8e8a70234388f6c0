#include "kernels/reference/layer.hpp"

#include "isa/errors.hpp"
#include "kernels/reference/attention.hpp"
#include "kernels/reference/exchange.hpp"
#include "kernels/reference/hyper_connection.hpp"
#include "kernels/reference/indexer.hpp"
#include "kernels/reference/projections.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {
namespace {

using isa::Bf16;

LayerOutputs allocate(const LayerConfig& config, AttentionKind kind) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, m = config.hc_mult, dim = config.head_dim;
  const std::size_t routes = config.routes(), recv = config.recv_rows(), index_length = config.max_positions / 4;
  LayerOutputs out;
  for (auto* v : {&out.x_mixed, &out.x_normed, &out.attn_out, &out.ffn_mixed, &out.x_norm, &out.sh, &out.ffn_out})
    v->resize(tokens * hidden);
  for (auto* v : {&out.x_attn, &out.x_next}) v->resize(tokens * m * hidden);
  for (auto* v : {&out.post, &out.ffn_post}) v->resize(tokens * m);
  for (auto* v : {&out.comb, &out.ffn_comb}) v->resize(tokens * m * m);
  for (auto* v : {&out.q, &out.attention}) v->resize(tokens * config.heads * dim);
  out.kv.resize(tokens * dim);
  out.qr.resize(tokens * config.q_lora);
  for (auto* v : {&out.qr_scale, &out.x_norm_scale}) v->resize(tokens);
  if (kind != AttentionKind::Swa) out.cmp_out.resize(tokens * dim);
  if (kind == AttentionKind::Csa) {
    out.inner_out.resize(tokens * config.index_dim);
    out.idx_score.resize(tokens * index_length);
    out.idx_topk.resize(tokens * index_length);
  }
  out.sparse_indices.resize(tokens * sparse_width(config, kind));
  out.x_norm_i8.resize(tokens * hidden);
  out.indices.resize(routes);
  out.weights.resize(routes);
  out.recv_x.resize(recv * hidden);
  out.recv_y.resize(recv * hidden);
  for (auto* v : {&out.recv_scale, &out.recv_w}) v->resize(recv);
  for (auto* v : {&out.recv_route, &out.recv_source}) v->resize(recv);
  out.recv_count.resize(config.local_experts);
  out.routed_y.resize(routes * hidden);
  return out;
}

/// First position of each request's step, rounded down to a multiple of `ratio`.
std::vector<std::int32_t> window_starts(const LayerConfig& config, std::span<const std::int32_t> positions,
                                        std::int32_t ratio) {
  std::vector<std::int32_t> starts(config.batch);
  for (std::size_t b = 0; b < starts.size(); ++b) starts[b] = positions[b * config.seq] / ratio * ratio;
  return starts;
}

void compress(const LayerConfig& config, Numerics numerics, const CompressorShape& shape, const LayerInputs& in,
              const CompressorInputs& c, std::span<const std::int32_t> angles, std::span<const Bf16> hadamard,
              std::span<const Bf16> x_normed, std::span<Bf16> cache, std::span<float> row, unsigned threads) {
  const std::vector<Bf16> cos = rope_rows(in.freqs_cos, config.rope_dim, angles);
  const std::vector<Bf16> sin = rope_rows(in.freqs_sin, config.rope_dim, angles);
  compressor(config, numerics, shape,
             {x_normed, c.wkv, c.wgate, c.ape, c.norm_w, hadamard, cos, sin, in.position_ids, c.state_table,
              c.state_slots, c.cache_slots},
             {c.state, cache, row}, threads);
}

/// Compressed caches, indexer and index list: everything that decides which rows the attention reads.
void select_rows(const LayerConfig& config, Numerics numerics, AttentionKind kind, const LayerInputs& in,
                 LayerOutputs& out, unsigned threads) {
  if (kind != AttentionKind::Swa) {
    const CompressorShape shape = main_compressor(config, kind);
    const auto starts = window_starts(config, in.position_ids, static_cast<std::int32_t>(shape.ratio));
    compress(config, numerics, shape, in, in.main, starts, {}, out.x_normed, in.cmp_kv, out.cmp_out, threads);
  }
  if (kind == AttentionKind::Csa) {
    const auto first = window_starts(config, in.position_ids, 1);  // the step's first position (S16.3)
    compress(config, numerics, inner_compressor(config), in, in.inner, first, in.hadamard_idx, out.x_normed,
             in.idx_kv_cache, out.inner_out, threads);
    const std::vector<Bf16> cos = rope_rows(in.freqs_cos, config.rope_dim, first);
    const std::vector<Bf16> sin = rope_rows(in.freqs_sin, config.rope_dim, first);
    indexer(config, numerics,
            {out.x_normed, out.qr, out.qr_scale, in.idx_wq_b, in.idx_wq_b_scale, in.weights_proj, in.hadamard_idx, cos,
             sin, in.idx_kv_cache, in.idx_block_table, in.kv_seq_lens},
            {out.idx_score, out.idx_topk}, threads);
  }
  sparse_indices(config, kind, {in.position_ids, in.kv_seq_lens, out.idx_topk}, out.sparse_indices);
}

void attention_half(const LayerConfig& config, Numerics numerics, AttentionKind kind, const LayerInputs& in,
                    LayerOutputs& out, unsigned threads) {
  hc_pre(config, numerics, {in.x_hc, in.hc_attn.fn, in.hc_attn.scale, in.hc_attn.base},
         {out.x_mixed, out.post, out.comb}, threads);
  rmsnorm(config, out.x_mixed, in.attn_norm_w, out.x_normed, threads);
  out.rope_cos = rope_rows(in.freqs_cos, config.rope_dim, in.position_ids);
  out.rope_sin = rope_rows(in.freqs_sin, config.rope_dim, in.position_ids);
  q_latent(config, {out.x_normed, in.wq_a, in.gamma_cq}, {out.qr, out.qr_scale}, threads);
  q_heads(config, numerics, {out.qr, out.qr_scale, in.wq_b, in.wq_b_scale, out.rope_cos, out.rope_sin}, out.q, threads);
  kv_row(config, {out.x_normed, in.wkv, in.gamma_ckv, out.rope_cos, out.rope_sin}, out.kv, threads);
  select_rows(config, numerics, kind, in, out, threads);
  sparse_attention(config,
                   {out.q, in.kv_cache, in.block_table, out.kv, in.cmp_kv, in.cmp_block_table, out.sparse_indices,
                    in.attn_sink, out.rope_cos, out.rope_sin},
                   out.attention, threads);
  o_proj(config, {out.attention, in.wo_a, in.wo_b, in.wo_b_scale}, out.attn_out, threads);
  write_back(config, out.kv, in.ori_slot_mapping, in.kv_cache);
  hc_post(config, {out.attn_out, in.x_hc, out.post, out.comb}, out.x_attn, threads);
}

void route_and_share(const LayerConfig& config, Numerics numerics, const LayerInputs& in, LayerOutputs& out,
                     unsigned threads) {
  hc_pre(config, numerics, {out.x_attn, in.hc_ffn.fn, in.hc_ffn.scale, in.hc_ffn.base},
         {out.ffn_mixed, out.ffn_post, out.ffn_comb}, threads);
  gate(config, {out.ffn_mixed, in.norm_w, in.gate_w, in.gate_bias, in.tid2eid, in.input_ids},
       {out.x_norm, out.x_norm_i8, out.x_norm_scale, out.indices, out.weights}, threads);
  expert(config, numerics, {out.x_norm_i8, out.x_norm_scale, {}, in.shared}, out.sh, threads);
}

}  // namespace

AttentionKind attention_kind(const LayerConfig& config) {
  if (config.layer_id >= config.compress_ratios.size())
    throw config_error("layer_id {} has no entry in compress_ratios, which lists {} layers", config.layer_id,
                       config.compress_ratios.size());
  switch (config.compress_ratios[config.layer_id]) {
    case 0:
      return AttentionKind::Swa;
    case 4:
      return AttentionKind::Csa;
    case 128:
      return AttentionKind::Hca;
  }
  throw config_error("compress_ratios[{}] = {}: the ratios are 0, 4 and 128", config.layer_id,
                     config.compress_ratios[config.layer_id]);
}

std::vector<LayerOutputs> decode_layer(const LayerConfig& config, Numerics numerics,
                                       std::span<const LayerInputs> inputs, unsigned threads) {
  NPU_ASSERT(inputs.size() == config.ranks, "inputs of every rank");
  const AttentionKind kind = attention_kind(config);
  std::vector<LayerOutputs> outputs;
  std::vector<DispatchIn> sent;
  std::vector<DispatchOut> received;
  for (const LayerInputs& in : inputs) {
    LayerOutputs& out = outputs.emplace_back(allocate(config, kind));
    attention_half(config, numerics, kind, in, out, threads);
    route_and_share(config, numerics, in, out, threads);
  }
  for (LayerOutputs& out : outputs) {
    sent.push_back({out.x_norm_i8, out.x_norm_scale, out.indices, out.weights});
    received.push_back({out.recv_x, out.recv_scale, out.recv_w, out.recv_route, out.recv_source, out.recv_count});
  }
  dispatch(config, sent, received);
  std::vector<ReturnIn> returned;
  std::vector<std::span<Bf16>> routed_y;
  for (std::size_t r = 0; r < outputs.size(); ++r) {
    LayerOutputs& out = outputs[r];
    routed_experts(config, numerics, {out.recv_x, out.recv_scale, out.recv_w, out.recv_count, inputs[r].routed},
                   out.recv_y, threads);
    returned.push_back({out.recv_y, out.recv_route, out.recv_source, out.recv_count});
    routed_y.emplace_back(out.routed_y);
  }
  return_rows(config, returned, routed_y);
  for (LayerOutputs& out : outputs) {
    combine(config, out.sh, out.routed_y, out.ffn_out);
    hc_post(config, {out.ffn_out, out.x_attn, out.ffn_post, out.ffn_comb}, out.x_next, threads);
  }
  return outputs;
}

}  // namespace npu::kernels::reference
