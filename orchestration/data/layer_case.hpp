// One decode layer's data: dimensions, inputs of every rank and, where known, expected results.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/layer_tensors.hpp"
#include "orchestration/data/safetensors.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// Rows of one rank's pool that the layer changes, ascending over (page, row), and what they hold afterwards.
struct PoolChanges {
  std::vector<std::uint64_t> rows;
  Tensor values;  ///< [rows, row length]
};

/// Whether a workload uses the input of this name; an empty function means every input of the layer's kind.
using TensorFilter = std::function<bool(std::string_view)>;

struct LayerCase {
  template <class T>
  using ByName = std::map<std::string, T, std::less<>>;

  kernels::LayerConfig config;
  kernels::AttentionKind kind = kernels::AttentionKind::Swa;
  Metadata provenance;                       ///< "style", "seed", "source", ...; without the dimensions
  ByName<std::vector<Tensor>> inputs;        ///< by name of the table, one tensor per rank
  ByName<std::vector<Tensor>> expected;      ///< outputs, whole pools and intermediates, one per rank
  ByName<std::vector<PoolChanges>> changes;  ///< pools given by their changed rows, one per rank

  /// Throw ConfigError where the case does not hold the tensor.
  [[nodiscard]] const Tensor& input(std::string_view name, std::uint32_t rank) const;
  [[nodiscard]] const Tensor& result(std::string_view name, std::uint32_t rank) const;
  [[nodiscard]] bool expects(std::string_view name) const { return expected.contains(name) || changes.contains(name); }
};

/// Reads a golden file. Every wanted input of the layer's kind must be there; everything there must have the dtype and
/// shape of the table, and index tensors (positions, tables, slots, ids) values inside the pools they point into.
/// Tensors of other attention kinds are skipped, the model's own taken where they are. Throws ConfigError naming file,
/// tensor, expected and got.
[[nodiscard]] LayerCase load_case(const std::string& path, const TensorFilter& wanted = {});

/// Turns expected pools, but for the ring, into their changed rows: the form of the golden files, in which rows that
/// the layer leaves alone may hold infinities. The case holds the pools as inputs.
void pools_to_changes(LayerCase& layer);

/// Writes inputs, expected results and metadata in the format of the golden files.
void save_case(const LayerCase& layer, const std::string& path);

}  // namespace npu::orch
