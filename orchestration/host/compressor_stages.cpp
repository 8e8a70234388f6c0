#include "kernels/attention/compressed_row_write.hpp"
#include "kernels/attention/compressor_pool.hpp"
#include "kernels/attention/compressor_scatter.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {
namespace {

using isa::DType;
using kernels::AttentionKind;
using kernels::CompressorShape;
using kernels::PlanChoice;
using kernels::WeightOrder;

/// Tensors of one of the compressors in the tensor table.
struct CompressorNames {
  std::string weights;  ///< prefix of its weights, and of its kernels
  std::string state;    ///< prefix of its state pool and mapping
  std::string slots, cache;
  std::string row;  ///< the compressed rows
};

void project(StageContext& c, const CompressorNames& names, const CompressorShape& shape, const std::string& what) {
  const std::string name = names.weights + "_" + what;
  c.scratch(name, DType::F32, {c.config.tokens(), shape.width()});
  c.task(name,
         [&](const PlanChoice& choice) {
           return kernels::float_matmul(
               name, {c.config.tokens(), shape.width(), c.config.hidden, DType::BF16, WeightOrder::KN}, c.arch, choice);
         },
         {{"x", "mid.attn.x_normed"}, {"w", names.weights + "_w" + what}, {"y", name}});
}

/// Projections of the step's tokens into the state, and the rows of the windows that they complete (S4).
void pool_windows(StageContext& c, const CompressorNames& names, const CompressorShape& shape, const std::string& row,
                  DType dtype) {
  const std::string state = names.state + "_compress_state";
  const std::string scatter = names.weights + "_scatter", pool = names.weights + "_pool";
  project(c, names, shape, "kv");
  project(c, names, shape, "gate");
  c.task(scatter, [&] { return kernels::compressor_scatter(scatter, c.config, shape, c.arch); },
         {{"kv", names.weights + "_kv"},
          {"score", names.weights + "_gate"},
          {"ape", names.weights + "_ape"},
          {"position_ids", "position_ids"},
          {"state_slot_mapping", names.state + "_state_slot_mapping"},
          {"state", state}});
  c.task(pool, [&] { return kernels::compressor_pool(pool, c.config, shape, c.arch, dtype); },
         {{"state", state},
          {"state_table", state + "_block_table"},
          {"position_ids", "position_ids"},
          {"norm_w", names.weights + "_norm_w"},
          {"freqs_cos", "freqs_cos"},
          {"freqs_sin", "freqs_sin"},
          {"row", row}});
}

void write_rows(StageContext& c, const CompressorNames& names, const CompressorShape& shape) {
  const std::string name = names.weights + "_write";
  c.task(name, [&] { return kernels::compressed_row_write(name, c.config, shape, c.arch); },
         {{"row", names.row},
          {"position_ids", "position_ids"},
          {"cache_slot_mapping", names.slots},
          {"cache", names.cache}});
}

}  // namespace

void main_compressor(StageContext& c) {
  const AttentionKind kind = attention_kind(c.config);
  if (kind == AttentionKind::Swa) return;
  const std::string prefix{name_of(kind)};
  const CompressorNames names{prefix + "_cmp", prefix, prefix + "_cmp_slot_mapping", "cmp_kv", "mid.attn.cmp_out"};
  const CompressorShape shape = kernels::main_compressor(c.config, kind);
  pool_windows(c, names, shape, names.row, DType::F32);
  write_rows(c, names, shape);
}

void inner_compressor(StageContext& c) {
  if (attention_kind(c.config) != AttentionKind::Csa) return;
  const CompressorNames names{"csa_inner", "csa_inner", "csa_idx_slot_mapping", "idx_kv_cache", "mid.attn.inner_out"};
  const CompressorShape shape = kernels::inner_compressor(c.config);
  const std::uint32_t tokens = c.config.tokens(), width = c.config.index_dim;
  c.scratch("csa_inner_pooled", DType::BF16, {tokens, width});
  pool_windows(c, names, shape, "csa_inner_pooled", DType::BF16);
  c.task("csa_inner_hadamard",
         [&](const PlanChoice& choice) {
           return kernels::float_matmul("csa_inner_hadamard", {tokens, width, width, DType::BF16, WeightOrder::KN},
                                        c.arch, choice);
         },
         {{"x", "csa_inner_pooled"}, {"w", "csa_hadamard_idx"}, {"y", names.row}});
  write_rows(c, names, shape);
}

}  // namespace npu::orch::stages
