#include "kernels/reference/exchange.hpp"

#include <algorithm>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {

using isa::Bf16;

void dispatch(const LayerConfig& config, std::span<const DispatchIn> in, std::span<const DispatchOut> out) {
  const std::size_t hidden = config.hidden, top_k = config.top_k, local = config.local_experts, limit = config.recv_max;
  NPU_ASSERT(in.size() == config.ranks && out.size() == config.ranks, "one element per rank");
  for (const DispatchOut& to : out) {
    NPU_ASSERT(to.recv_x.size() == local * limit * hidden && to.recv_count.size() == local, "dispatch outputs");
    std::fill(to.recv_x.begin(), to.recv_x.end(), std::int8_t{0});
    std::fill(to.recv_scale.begin(), to.recv_scale.end(), 0.0F);
    std::fill(to.recv_w.begin(), to.recv_w.end(), 0.0F);
    std::fill(to.recv_route.begin(), to.recv_route.end(), 0);
    std::fill(to.recv_source.begin(), to.recv_source.end(), -1);
    std::fill(to.recv_count.begin(), to.recv_count.end(), 0);
  }
  for (std::size_t source = 0; source < in.size(); ++source)
    for (std::size_t route = 0; route < config.routes(); ++route) {
      const auto id = static_cast<std::size_t>(in[source].indices[route]);
      NPU_ASSERT(id < config.ranks * local, "expert of a route");
      const DispatchOut& to = out[id / local];
      const std::size_t e = id % local, slot = static_cast<std::size_t>(to.recv_count[e]++);
      if (slot >= limit)
        throw config_error(
            "rank {} expert {} receives more than {} rows: raise recv_max, or choose tokens that spread over experts",
            id / local, e, limit);
      const std::size_t row = e * limit + slot, t = route / top_k;
      std::copy_n(&in[source].x_norm_i8[t * hidden], hidden, &to.recv_x[row * hidden]);
      to.recv_scale[row] = in[source].x_norm_scale[t];
      to.recv_w[row] = in[source].weights[route];
      to.recv_route[row] = static_cast<std::int32_t>(route);
      to.recv_source[row] = static_cast<std::int32_t>(source);
    }
}

void return_rows(const LayerConfig& config, std::span<const ReturnIn> in, std::span<const std::span<Bf16>> routed_y) {
  const std::size_t hidden = config.hidden, limit = config.recv_max;
  NPU_ASSERT(in.size() == config.ranks && routed_y.size() == config.ranks, "one element per rank");
  for (const std::span<Bf16>& rows : routed_y) {
    NPU_ASSERT(rows.size() == config.routes() * hidden, "routed_y");
    std::fill(rows.begin(), rows.end(), Bf16{});
  }
  for (const ReturnIn& from : in)
    for (std::size_t e = 0; e < config.local_experts; ++e)
      for (std::size_t row = e * limit; row < e * limit + static_cast<std::size_t>(from.recv_count[e]); ++row) {
        const std::span<Bf16> target = routed_y[static_cast<std::size_t>(from.recv_source[row])];
        std::copy_n(&from.recv_y[row * hidden], hidden,
                    &target[static_cast<std::size_t>(from.recv_route[row]) * hidden]);
      }
}

void combine(const LayerConfig& config, std::span<const Bf16> shared, std::span<const Bf16> routed_y,
             std::span<Bf16> ffn_out) {
  const std::size_t hidden = config.hidden, top_k = config.top_k;
  NPU_ASSERT(shared.size() == config.tokens() * hidden && ffn_out.size() == shared.size(), "combine rows");
  NPU_ASSERT(routed_y.size() == shared.size() * top_k, "combine routed rows");
  for (std::size_t t = 0; t < config.tokens(); ++t) {
    std::vector<float> sum = widen(shared.subspan(t * hidden, hidden));
    for (std::size_t k = 0; k < top_k; ++k) {
      const std::span<const Bf16> row = routed_y.subspan((t * top_k + k) * hidden, hidden);
      for (std::size_t d = 0; d < hidden; ++d) sum[d] += isa::to_float(row[d]);
    }
    narrow(sum, ffn_out.subspan(t * hidden, hidden));
  }
}

}  // namespace npu::kernels::reference
