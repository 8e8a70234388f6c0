// A golden file as inputs and expected results of the reference stages.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "kernels/reference/layer.hpp"

namespace npu::test {

/// Metadata and tensors of one safetensors file.
class GoldenCase {
 public:
  /// `file` is a name in NPU_GOLDENS_DIR. Throws std::runtime_error if it cannot be read.
  explicit GoldenCase(const std::string& file);

  kernels::LayerConfig config;
  kernels::AttentionKind kind = kernels::AttentionKind::Swa;

  [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Whole tensor; its first axis is the rank where the README says so.
  template <class T>
  [[nodiscard]] std::span<const T> all(const std::string& name) const {
    const std::vector<std::byte>& bytes = find(name);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  /// Slice of one rank.
  template <class T>
  [[nodiscard]] std::span<const T> of_rank(const std::string& name, std::size_t rank) const {
    const std::span<const T> whole = all<T>(name);
    return whole.subspan(rank * (whole.size() / config.ranks), whole.size() / config.ranks);
  }
  /// A pool of all ranks after the layer: the input with the stored changes.
  template <class T>
  [[nodiscard]] std::vector<T> after(const std::string& pool) const {
    const std::span<const T> before = all<T>("in." + pool), values = all<T>("out." + pool + ".vals");
    const std::span<const std::int64_t> rows = all<std::int64_t>("out." + pool + ".rows");
    std::vector<T> result(before.begin(), before.end());
    const std::size_t width = rows.empty() ? 0 : values.size() / rows.size();
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t c = 0; c < width; ++c)
        result[static_cast<std::size_t>(rows[i]) * width + c] = values[i * width + c];
    return result;
  }

 private:
  [[nodiscard]] const std::vector<std::byte>& find(const std::string& name) const;
  std::map<std::string, std::vector<std::byte>> tensors_;
};

/// Inputs of every rank; pools are copies that the layer may change.
struct GoldenInputs {
  explicit GoldenInputs(const GoldenCase& golden);
  GoldenInputs(const GoldenInputs&) = delete;
  GoldenInputs& operator=(const GoldenInputs&) = delete;

  std::vector<kernels::reference::LayerInputs> ranks;

 private:
  std::map<std::string, std::vector<std::vector<isa::Bf16>>> pools_;
  std::map<std::string, std::vector<std::vector<float>>> states_;
};

/// The file's results and intermediates of a rank; those that the file lacks stay empty.
[[nodiscard]] kernels::reference::LayerOutputs golden_outputs(const GoldenCase& golden, std::size_t rank);

}  // namespace npu::test
