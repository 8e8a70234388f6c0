#include "orchestration/host/compare_outputs.hpp"

#include <fmt/format.h>

#include <utility>

#include "orchestration/data/compare_ranking.hpp"
#include "orchestration/data/layer_tensors.hpp"
#include "orchestration/host/flipped_values.hpp"

namespace npu::orch {
namespace {

/// Rows of an expert from its count on carry no meaning (S8.3).
ElementFilter received_rows(const kernels::LayerConfig& config, std::string_view name, const LayerCase& layer) {
  const TensorSpec& spec = tensor_spec(name);
  if (spec.trait != Trait::ReceivedRows) return {};
  const std::uint64_t row_length = element_count(spec.shape(config), name) / config.recv_rows();
  std::vector<Tensor> counts;
  for (std::uint32_t r = 0; r < config.ranks; ++r) counts.push_back(layer.result("mid.moe.recv_count", r));
  return [row_length, room = config.recv_max, counts = std::move(counts)](std::size_t part, std::uint64_t element) {
    const std::uint64_t row = element / row_length;
    return row % room < static_cast<std::uint64_t>(counts[part].as<std::int32_t>()[row / room]);
  };
}

}  // namespace

std::vector<Comparison> compare_outputs(std::span<const OutputRule> outputs, const LayerCase& layer,
                                        const ReadRanks& actual_of) {
  std::vector<Comparison> result;
  for (const OutputRule& output : outputs) {
    if (!layer.expects(output.tensor)) continue;
    const auto actual = actual_of(output.tensor);
    if (const auto rows = layer.changes.find(output.tensor); rows != layer.changes.end()) {
      PoolComparison pool = compare_pool(output.rule, layer.inputs.find(output.tensor)->second, rows->second, actual);
      pool.changed.name = fmt::format("{}.vals", output.tensor);
      pool.untouched.name = fmt::format("{}.untouched", output.tensor);
      result.push_back(std::move(pool.changed));
      result.push_back(std::move(pool.untouched));
      continue;
    }
    const auto& expected = layer.expected.find(output.tensor)->second;
    if (output.scores.empty()) {
      result.push_back(compare_ranks(output.rule, expected, actual, received_rows(layer.config, output.tensor, layer)));
      const QuantisedProduct* product = product_of(output.tensor);
      if (!result.back().pass && product != nullptr) {
        result.back().cause = flipped_values(*product, output.rule, expected, actual_of);
      }
    } else {
      const auto first_code = static_cast<std::int32_t>(layer.config.window + layer.config.seq);
      result.push_back(compare_ranking(expected, actual, actual_of(output.scores), first_code));
    }
    result.back().name = output.tensor;
  }
  return result;
}

}  // namespace npu::orch
