#include "kernels/attention/sparse_attention.hpp"

#include "kernels/attention/sparse_attention_parts.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

//   cube    gather, scores 0 | scores 1 | values 0 | scores 2 | values 1 ...   keys of a step stay in L1 for its values
//   vector          softmax 0 | softmax 1 | merge 0 | softmax 2 | merge 1 ...   each core half of the heads
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const attention::Plan& s) {
  KernelBuilder k{"sparse_attention", arch};
  const auto q = k.input("q", DType::BF16, s.heads * s.dim);
  const auto kv_cache = k.input("kv_cache", DType::BF16, s.dim);
  const auto block_table = k.input("block_table", DType::I32, 1);
  const auto kv = k.input("kv", DType::BF16, s.dim);
  const auto cmp_kv = k.input("cmp_kv", DType::BF16, s.dim);
  const auto cmp_block_table = k.input("cmp_block_table", DType::I32, cfg.cmp_max_blocks);
  const auto sparse_indices = k.input("sparse_indices", DType::I32, s.width);
  const auto sink = k.input("attn_sink", DType::F32, s.heads);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, s.rope);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, s.rope);
  const auto o = k.output("o", DType::BF16, s.heads * s.dim);
  const auto workspace = k.workspace(DType::F32, s.dim);
  const attention::Arguments a{q,    {kv_cache, block_table, kv, cmp_kv, cmp_block_table, sparse_indices},
                               sink, {position_ids, freqs_cos, freqs_sin},
                               o,    workspace};
  k.cube([&](PartBuilder& p) { attention::emit_cube(p, cfg, s, a); });
  k.vector([&](PartBuilder& p) { attention::emit_vector(p, s, a); });
  return pack(k, s.blocks, s.workspace_bytes());
}

}  // namespace

Kernel sparse_attention(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t list_width,
                        const PlanChoice& choice) {
  return build_fitting("sparse_attention", attention::plan_attention(cfg, arch, list_width), arch, choice,
                       [&](const attention::Plan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
