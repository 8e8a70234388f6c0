// The kernels of a full-size layer (the defaults of LayerConfig), by name.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/attention/indexer_query_rope.hpp"
#include "kernels/attention/indexer_score.hpp"
#include "kernels/attention/indexer_topk.hpp"
#include "kernels/attention/kv_row.hpp"
#include "kernels/attention/o_proj.hpp"
#include "kernels/attention/q_heads.hpp"
#include "kernels/attention/q_latent.hpp"
#include "kernels/attention/sparse_attention.hpp"
#include "kernels/hyper_connection/hc_head.hpp"
#include "kernels/hyper_connection/hc_post.hpp"
#include "kernels/hyper_connection/hc_pre.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/matmul/widen.hpp"
#include "kernels/moe/combine.hpp"
#include "kernels/moe/dispatch.hpp"
#include "kernels/moe/expert_down.hpp"
#include "kernels/moe/expert_gate_up.hpp"
#include "kernels/moe/gate.hpp"
#include "kernels/norm/rms_norm.hpp"

namespace npu::test {

struct NamedKernel {
  std::string name;
  std::function<kernels::Kernel(const isa::ArchSpec&, const kernels::PlanChoice&)> build;
};

/// Those that take no choice ignore it.
inline std::vector<NamedKernel> kernels_of_a_layer(const kernels::LayerConfig& cfg = {}) {
  using kernels::Kernel;
  using kernels::PlanChoice;
  using kernels::WeightOrder;
  using Planned = Kernel (*)(const kernels::LayerConfig&, const isa::ArchSpec&, const PlanChoice&);
  using Fixed = Kernel (*)(const kernels::LayerConfig&, const isa::ArchSpec&);
  const std::pair<const char*, Planned> planned[] = {{"hc_pre", kernels::hc_pre},
                                                     {"hc_post", kernels::hc_post},
                                                     {"hc_head", kernels::hc_head},
                                                     {"rms_norm", kernels::rms_norm},
                                                     {"norm_quant", kernels::norm_quant},
                                                     {"indexer_score", kernels::indexer_score},
                                                     {"o_proj_a", kernels::o_proj_a},
                                                     {"o_quant", kernels::o_quant},
                                                     {"gate_route", kernels::gate_route},
                                                     {"shared_gate_up", kernels::shared_gate_up},
                                                     {"routed_gate_up", kernels::routed_gate_up},
                                                     {"routed_down", kernels::routed_down},
                                                     {"dispatch", kernels::dispatch},
                                                     {"combine_reduce", kernels::combine_reduce}};
  const std::pair<const char*, Fixed> fixed[] = {{"q_latent", kernels::q_latent},
                                                 {"q_heads", kernels::q_heads},
                                                 {"kv_row", kernels::kv_row},
                                                 {"indexer_query_rope", kernels::indexer_query_rope},
                                                 {"indexer_topk", kernels::indexer_topk},
                                                 {"combine_push", kernels::combine_push}};
  std::vector<NamedKernel> all;
  for (const auto& [name, build] : planned) {
    all.push_back({name, [=](const isa::ArchSpec& a, const PlanChoice& c) { return build(cfg, a, c); }});
  }
  for (const auto& [name, build] : fixed) {
    all.push_back({name, [=](const isa::ArchSpec& a, const PlanChoice&) { return build(cfg, a); }});
  }
  all.push_back({"sparse_attention", [=](const isa::ArchSpec& a, const PlanChoice& c) {
                   return kernels::sparse_attention(cfg, a, 640, c);
                 }});
  all.push_back(
      {"q_b_matmul", [](const isa::ArchSpec& a, const PlanChoice& c) {
         return kernels::quant_matmul("q_b_matmul", {128, 32768, 1024, WeightOrder::NK, isa::DType::F32}, a, c);
       }});
  return all;
}

}  // namespace npu::test
