#include "kernels/hyper_connection/hc_head.hpp"
#include "kernels/hyper_connection/hc_post.hpp"
#include "kernels/hyper_connection/hc_pre.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {

using kernels::PlanChoice;
namespace {

/// `half` is "attn" or "moe" in the names of results; `weights` is "hc_attn" or "hc_ffn".
void hc_pre(StageContext& c, const std::string& input, const std::string& weights, const std::string& half) {
  c.task("hc_pre", [&](const PlanChoice& choice) { return kernels::hc_pre(c.config, c.arch, choice); },
         {{"x", input},
          {"fn", weights + "_fn"},
          {"scale", weights + "_scale"},
          {"base", weights + "_base"},
          {"x_mixed", "mid." + half + ".x_mixed"},
          {"post", "mid." + half + ".post"},
          {"comb", "mid." + half + ".comb"}});
}

void hc_post(StageContext& c, const std::string& y, const std::string& x, const std::string& half,
             const std::string& out) {
  c.task("hc_post", [&](const PlanChoice& choice) { return kernels::hc_post(c.config, c.arch, choice); },
         {{"y", y}, {"x", x}, {"post", "mid." + half + ".post"}, {"comb", "mid." + half + ".comb"}, {"out", out}});
}

}  // namespace

void hc_pre_attention(StageContext& c) { hc_pre(c, "x_hc", "hc_attn", "attn"); }
void hc_pre_experts(StageContext& c) { hc_pre(c, "mid.x_attn", "hc_ffn", "moe"); }
void hc_post_attention(StageContext& c) { hc_post(c, "mid.attn.attn_out", "x_hc", "attn", "mid.x_attn"); }
void hc_post_experts(StageContext& c) { hc_post(c, "mid.moe.ffn_out", "mid.x_attn", "moe", "x_next"); }

void hc_head(StageContext& c) {
  c.task("hc_head", [&](const PlanChoice& choice) { return kernels::hc_head(c.config, c.arch, choice); },
         {{"x", "x_hc"},
          {"fn", "hc_head_fn"},
          {"scale", "hc_head_scale"},
          {"base", "hc_head_base"},
          {"x_head", "x_head"}});
}

}  // namespace npu::orch::stages
