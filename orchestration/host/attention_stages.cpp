#include "kernels/attention/kv_row.hpp"
#include "kernels/attention/o_proj.hpp"
#include "kernels/attention/q_heads.hpp"
#include "kernels/attention/q_latent.hpp"
#include "kernels/attention/ring_write.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/norm/rms_norm.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {

using isa::DType;
using kernels::PlanChoice;
using kernels::WeightOrder;

void attention_norm(StageContext& c) {
  c.task("rms_norm", [&](const PlanChoice& choice) { return kernels::rms_norm(c.config, c.arch, choice); },
         {{"x", "mid.attn.x_mixed"}, {"w", "attn_norm_w"}, {"y", "mid.attn.x_normed"}});
}

void query_latent(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens();
  c.scratch("q_a", DType::F32, {tokens, cfg.q_lora});
  c.task("q_a_matmul",
         [&](const PlanChoice& choice) {
           return kernels::float_matmul("q_a_matmul", {tokens, cfg.q_lora, cfg.hidden, DType::BF16, WeightOrder::KN},
                                        c.arch, choice);
         },
         {{"x", "mid.attn.x_normed"}, {"w", "wq_a"}, {"y", "q_a"}});
  c.task("q_latent", [&] { return kernels::q_latent(cfg, c.arch); },
         {{"a", "q_a"}, {"gamma", "gamma_cq"}, {"qr", "mid.attn.qr"}, {"qr_scale", "mid.attn.qr_scale"}});
}

void query_heads(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens(), heads_width = cfg.heads * cfg.head_dim;
  c.scratch("q_u", DType::F32, {tokens, heads_width});
  c.task(
      "q_b_matmul",
      [&](const PlanChoice& choice) {
        return kernels::quant_matmul("q_b_matmul", {tokens, heads_width, cfg.q_lora, WeightOrder::KN, DType::F32},
                                     c.arch, choice);
      },
      {{"x", "mid.attn.qr"}, {"x_scale", "mid.attn.qr_scale"}, {"w", "wq_b"}, {"w_scale", "wq_b_scale"}, {"y", "q_u"}});
  c.task("q_heads", [&] { return kernels::q_heads(cfg, c.arch); },
         {{"u", "q_u"},
          {"position_ids", "position_ids"},
          {"freqs_cos", "freqs_cos"},
          {"freqs_sin", "freqs_sin"},
          {"q", "mid.attn.q"}});
}

void new_kv_row(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens();
  c.scratch("kv_k", DType::F32, {tokens, cfg.head_dim});
  c.task("kv_matmul",
         [&](const PlanChoice& choice) {
           return kernels::float_matmul("kv_matmul", {tokens, cfg.head_dim, cfg.hidden, DType::BF16, WeightOrder::KN},
                                        c.arch, choice);
         },
         {{"x", "mid.attn.x_normed"}, {"w", "wkv"}, {"y", "kv_k"}});
  c.task("kv_row", [&] { return kernels::kv_row(cfg, c.arch); },
         {{"k", "kv_k"},
          {"gamma", "gamma_ckv"},
          {"position_ids", "position_ids"},
          {"freqs_cos", "freqs_cos"},
          {"freqs_sin", "freqs_sin"},
          {"kv", "mid.attn.kv"}});
}

void output_projection(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens(), inner = cfg.o_groups * cfg.o_lora;
  c.scratch("o_r", DType::F32, {tokens, inner});
  c.scratch("o_i8", DType::I8, {tokens, inner});
  c.scratch("o_scale", DType::F32, {tokens, 1});
  c.task("o_proj_a", [&](const PlanChoice& choice) { return kernels::o_proj_a(cfg, c.arch, choice); },
         {{"o", "mid.attn.attention"}, {"wo_a", "wo_a"}, {"r", "o_r"}});
  c.task("o_quant", [&](const PlanChoice& choice) { return kernels::o_quant(cfg, c.arch, choice); },
         {{"r", "o_r"}, {"o_i8", "o_i8"}, {"o_scale", "o_scale"}});
  c.task("o_proj_b",
         [&](const PlanChoice& choice) {
           return kernels::quant_matmul("o_proj_b", {tokens, cfg.hidden, inner, WeightOrder::NK, DType::BF16}, c.arch,
                                        choice);
         },
         {{"x", "o_i8"}, {"x_scale", "o_scale"}, {"w", "wo_b"}, {"w_scale", "wo_b_scale"}, {"y", "mid.attn.attn_out"}});
}

void ring_write_back(StageContext& c) {
  c.task("ring_write", [&] { return kernels::ring_write(c.config, c.arch); },
         {{"kv", "mid.attn.kv"}, {"ori_slot_mapping", "ori_slot_mapping"}, {"kv_cache", "kv_cache"}});
}

}  // namespace npu::orch::stages
