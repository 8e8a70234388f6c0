#include <array>

#include "isa/errors.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "kernels/matmul/quant_matmul.hpp"
#include "kernels/moe/combine.hpp"
#include "kernels/moe/dispatch.hpp"
#include "kernels/moe/expert_down.hpp"
#include "kernels/moe/expert_gate_up.hpp"
#include "kernels/moe/gate.hpp"
#include "kernels/moe/quant_rows.hpp"
#include "kernels/norm/rms_norm.hpp"
#include "orchestration/host/layer_stages.hpp"

namespace npu::orch::stages {

using isa::DType;
using kernels::PlanChoice;
using kernels::WeightOrder;

void gate(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens();
  c.scratch("x_norm_f32", DType::F32, {tokens, cfg.hidden});
  c.scratch("gate_logits", DType::F32, {tokens, cfg.experts});
  c.task("norm_quant", [&](const PlanChoice& choice) { return kernels::norm_quant(cfg, c.arch, choice); },
         {{"x", "mid.moe.x_mixed"},
          {"w", "norm_w"},
          {"x_norm", "mid.moe.x_norm"},
          {"x_norm_f32", "x_norm_f32"},
          {"x_i8", "mid.moe.x_norm_i8"},
          {"x_scale", "mid.moe.x_norm_scale"}});
  c.task("gate_matmul",
         [&](const PlanChoice& choice) {
           return kernels::float_matmul("gate_matmul", {tokens, cfg.experts, cfg.hidden, DType::F32, WeightOrder::NK},
                                        c.arch, choice);
         },
         {{"x", "x_norm_f32"}, {"w", "gate_w"}, {"y", "gate_logits"}});
  c.task("gate_route", [&](const PlanChoice& choice) { return kernels::gate_route(cfg, c.arch, choice); },
         {{"logits", "gate_logits"},
          {"gate_bias", "gate_bias"},
          {"tid2eid", "tid2eid"},
          {"input_ids", "input_ids"},
          {"indices", "mid.moe.indices"},
          {"weights", "mid.moe.weights"}});
}

void shared_expert(StageContext& c) {
  const auto& cfg = c.config;
  const std::uint32_t tokens = cfg.tokens();
  c.scratch("shared_h", DType::F32, {tokens, cfg.moe_inter});
  c.scratch("shared_h_i8", DType::I8, {tokens, cfg.moe_inter});
  c.scratch("shared_h_scale", DType::F32, {tokens, 1});
  c.task("shared_gate_up", [&](const PlanChoice& choice) { return kernels::shared_gate_up(cfg, c.arch, choice); },
         {{"x", "mid.moe.x_norm_i8"},
          {"x_scale", "mid.moe.x_norm_scale"},
          {"w1", "shared_w1"},
          {"w1_scale", "shared_w1_scale"},
          {"w3", "shared_w3"},
          {"w3_scale", "shared_w3_scale"},
          {"h", "shared_h"}});
  c.task("shared_quant", [&] { return kernels::quant_rows("shared_quant", tokens, cfg.moe_inter, c.arch); },
         {{"x", "shared_h"}, {"x_i8", "shared_h_i8"}, {"x_scale", "shared_h_scale"}});
  c.task("shared_down",
         [&](const PlanChoice& choice) {
           return kernels::quant_matmul(
               "shared_down", {tokens, cfg.hidden, cfg.moe_inter, WeightOrder::NK, DType::BF16}, c.arch, choice);
         },
         {{"x", "shared_h_i8"},
          {"x_scale", "shared_h_scale"},
          {"w", "shared_w2"},
          {"w_scale", "shared_w2_scale"},
          {"y", "mid.moe.sh"}});
}

void dispatch(StageContext& c) {
  constexpr std::uint32_t kStatusWords = 8;
  const auto& cfg = c.config;
  c.scratch("dispatch_status", DType::I32, {1, kStatusWords});
  c.scratch("exchange_counts", DType::I32, {std::uint64_t{cfg.ranks} * cfg.ranks, cfg.local_experts});
  c.task("dispatch", [&](const PlanChoice& choice) { return kernels::dispatch(c.config, c.arch, choice); },
         {{"indices", "mid.moe.indices"},
          {"weights", "mid.moe.weights"},
          {"x_i8", "mid.moe.x_norm_i8"},
          {"x_scale", "mid.moe.x_norm_scale"},
          {"win_pub_counts", "win_pub_counts"},
          {"win_count_done", "win_count_done"},
          {"win_data_done", "win_data_done"},
          {"win_x", "win_x"},
          {"win_scale", "win_scale"},
          {"win_w", "win_w"},
          {"win_route", "win_route"},
          {"recv_x", "mid.moe.recv_x"},
          {"recv_scale", "mid.moe.recv_scale"},
          {"recv_w", "mid.moe.recv_w"},
          {"recv_route", "mid.moe.recv_route"},
          {"recv_count", "mid.moe.recv_count"},
          {"counts", "exchange_counts"},
          {"status", "dispatch_status"}},
         {{"epoch", c.epoch()}});
  c.check([status = c.address_of("dispatch_status")](model::OrchestratorApi& api) {
    if (api.read_i32(status) == 0) return;
    std::array<std::int32_t, 4> words{};  // destination card, expert, count, limit
    for (std::uint64_t i = 0; i < words.size(); ++i) words[i] = api.read_i32(status + (i + 1) * sizeof(std::int32_t));
    throw program_error(
        "dispatch: card {}, local expert {} would receive {} rows; the limit recv_max is {}. Raise recv_max in the "
        "preset file, or lower --batch",
        words[0], words[1], words[2], words[3]);
  });
}

void routed_experts(StageContext& c) {
  const auto& cfg = c.config;
  c.scratch("routed_h", DType::F32, {cfg.recv_rows(), cfg.moe_inter});
  c.scratch("routed_h_i8", DType::I8, {cfg.recv_rows(), cfg.moe_inter});
  c.scratch("routed_h_scale", DType::F32, {cfg.recv_rows(), 1});
  c.task("routed_gate_up", [&](const PlanChoice& choice) { return kernels::routed_gate_up(cfg, c.arch, choice); },
         {{"x", "mid.moe.recv_x"},
          {"x_scale", "mid.moe.recv_scale"},
          {"count", "mid.moe.recv_count"},
          {"w1", "routed_w1"},
          {"w1_scale", "routed_w1_scale"},
          {"w3", "routed_w3"},
          {"w3_scale", "routed_w3_scale"},
          {"h", "routed_h"}});
  c.task("routed_quant", [&] { return kernels::routed_quant(cfg, c.arch); },
         {{"h", "routed_h"}, {"count", "mid.moe.recv_count"}, {"h_i8", "routed_h_i8"}, {"h_scale", "routed_h_scale"}});
  c.task("routed_down", [&](const PlanChoice& choice) { return kernels::routed_down(cfg, c.arch, choice); },
         {{"h_i8", "routed_h_i8"},
          {"h_scale", "routed_h_scale"},
          {"route_w", "mid.moe.recv_w"},
          {"count", "mid.moe.recv_count"},
          {"w2", "routed_w2"},
          {"w2_scale", "routed_w2_scale"},
          {"y", "mid.moe.recv_y"}});
}

void combine(StageContext& c) {
  const auto& cfg = c.config;
  c.scratch("exchange_counts", DType::I32, {std::uint64_t{cfg.ranks} * cfg.ranks, cfg.local_experts});
  c.task("combine_push", [&] { return kernels::combine_push(c.config, c.arch); },
         {{"y", "mid.moe.recv_y"},
          {"recv_route", "mid.moe.recv_route"},
          {"counts", "exchange_counts"},
          {"win_y", "win_y"},
          {"win_combine_done", "win_combine_done"},
          {"recv_count", "mid.moe.recv_count"}},
         {{"epoch", c.epoch()}});
  c.task("combine_reduce", [&](const PlanChoice& choice) { return kernels::combine_reduce(c.config, c.arch, choice); },
         {{"sh", "mid.moe.sh"}, {"win_y", "win_y"}, {"ffn", "mid.moe.ffn_out"}});
}

}  // namespace npu::orch::stages
