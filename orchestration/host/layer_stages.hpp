// The stages of a decode layer as tasks over named tensors. Tensors have the names of the tensor table, so a stage can
// take its inputs from the stage before it or from a golden file.
#pragma once

#include "orchestration/host/stage_context.hpp"

namespace npu::orch::stages {

// Attention half (decode-layer.md S3 to S7, S9); the layer's kind follows from its compression ratio.
void hc_pre_attention(StageContext& context);
void attention_norm(StageContext& context);
void query_latent(StageContext& context);
void query_heads(StageContext& context);
void new_kv_row(StageContext& context);
/// S4: the compressed rows of windows that the step completes. Nothing to do in a window layer.
void main_compressor(StageContext& context);
/// S4, S5: the indexer's own compressed rows, and its choice. Nothing to do outside of csa layers.
void inner_compressor(StageContext& context);
void indexer(StageContext& context);
void index_list(StageContext& context);
void sparse_attention(StageContext& context);
void output_projection(StageContext& context);
void ring_write_back(StageContext& context);
void hc_post_attention(StageContext& context);

// Experts (S8, S9).
void hc_pre_experts(StageContext& context);
void gate(StageContext& context);
void shared_expert(StageContext& context);
/// Ends with a read of the status: ProgramError where an expert gets more rows than it has room for.
void dispatch(StageContext& context);
void routed_experts(StageContext& context);
void combine(StageContext& context);
void hc_post_experts(StageContext& context);

}  // namespace npu::orch::stages
