#include "kernels/attention/sparse_attention.hpp"
#include "orchestration/data/layer_tensors.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {

using kernels::PlanChoice;

using isa::DType;

void sparse_attention(StageContext& c) {
  const auto& cfg = c.config;
  std::string cmp_kv = "cmp_kv", cmp_table = "cmp_block_table";
  const Shape list = tensor_spec("mid.attn.sparse_indices").shape(cfg);
  if (list.back() == cfg.window) {
    // Window attention selects no compressed entries; the kernel takes the arguments all the same.
    cmp_kv = "no_cmp_kv";
    cmp_table = "no_cmp_block_table";
    c.scratch(cmp_kv, DType::BF16, {cfg.page, cfg.head_dim});
    c.scratch(cmp_table, DType::I32, {cfg.batch, cfg.cmp_max_blocks});
  }
  c.task("sparse_attention",
         [&](const PlanChoice& choice) {
           return kernels::sparse_attention(cfg, c.arch, static_cast<std::uint32_t>(list.back()), choice);
         },
         {{"q", "mid.attn.q"},
          {"kv_cache", "kv_cache"},
          {"block_table", "block_table"},
          {"kv", "mid.attn.kv"},
          {"cmp_kv", cmp_kv},
          {"cmp_block_table", cmp_table},
          {"sparse_indices", "mid.attn.sparse_indices"},
          {"attn_sink", "attn_sink"},
          {"position_ids", "position_ids"},
          {"freqs_cos", "freqs_cos"},
          {"freqs_sin", "freqs_sin"},
          {"o", "mid.attn.attention"}});
}

}  // namespace npu::orch::stages
