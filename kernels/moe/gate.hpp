// Router: which experts a token visits and with what weight (decode-layer.md S8.1).
#pragma once

#include "isa/arch_spec.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// score = sqrt(softplus(logits)); experts by token id (hash layers) or the KE largest of score + bias, ties to the
/// smaller id; weights = score[experts] / sum * route_scale.
/// Arguments: logits [T, E] f32, gate_bias [1, E] f32, tid2eid [V, KE] i32, input_ids [T, 1] i64, indices [T, KE] i32,
/// weights [T, KE] f32. Vector task, one block per row group. A table entry outside [0, E) stops the simulation with a
/// ProgramError of the gather.
[[nodiscard]] Kernel gate_route(const LayerConfig& cfg, const isa::ArchSpec& arch, const PlanChoice& choice = {});

}  // namespace npu::kernels
