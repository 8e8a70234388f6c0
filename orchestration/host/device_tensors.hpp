// Tensors in the memory of the simulated cards, by card and name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/common/layer_config.hpp"
#include "model/device.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

struct DeviceTensor {
  std::string name;
  isa::DType dtype = isa::DType::F32;
  Shape shape;
  model::GmAddress address{};
  isa::Bytes size{};
};

/// A buffer that other cards write into; it has the same offset on every card (decode-layer.md S11). Every layer of a
/// run uses the same windows. That is safe because each one is idle when a peer can write into it for the next layer:
/// - win_pub_counts: dispatch clears it (its comment says why nobody reads or adds then).
/// - win_x, win_scale, win_w, win_route: peers write after the count meeting of the next dispatch, which this card
/// joins
///   after its dispatch of this layer has staged everything out.
/// - win_y: peers write after the data meeting of the next dispatch, which this card joins after combine_reduce has
/// read
///   this layer's rows, for the next layer starts from its result.
/// - win_*_done only count up; a meeting waits for the sum over all layers so far (kernels/moe/exchange_links.hpp).
struct WindowSpec {
  std::string_view name;
  isa::DType dtype;
  std::uint64_t (*rows)(const kernels::LayerConfig&);
  std::uint64_t (*cols)(const kernels::LayerConfig&);
};
/// The windows of the expert exchange.
[[nodiscard]] std::vector<WindowSpec> exchange_windows();
[[nodiscard]] bool is_exchange_window(std::string_view tensor);

class DeviceTensors {
 public:
  /// Allocates the windows, before anything else and in one order on every card.
  DeviceTensors(model::System& system, const kernels::LayerConfig& config, std::uint32_t cards);

  /// Zeroed memory. The name is new on this card.
  const DeviceTensor& add(std::uint32_t card, std::string name, isa::DType dtype, Shape shape);
  /// Null where the card has no tensor of this name.
  [[nodiscard]] const DeviceTensor* find(std::uint32_t card, std::string_view name) const;
  [[nodiscard]] const DeviceTensor& get(std::uint32_t card, std::string_view name) const;

  /// Copies a host tensor of the same dtype and number of elements into the device tensor.
  void write(const DeviceTensor& target, const Tensor& source);
  /// write() for a tensor that no task writes: where it is large the device tensor is the host's bytes themselves.
  void share(const DeviceTensor& target, const Tensor& source);
  [[nodiscard]] Tensor read(const DeviceTensor& source) const;
  /// The tensor where it lies, without a copy: it shows what later runs write, and does not outlive the system.
  [[nodiscard]] Tensor view(const DeviceTensor& source) const;

 private:
  model::System& system_;
  std::map<std::pair<std::uint32_t, std::string>, DeviceTensor> tensors_;
  std::vector<Tensor> shared_;  ///< kept alive for the cards
};

}  // namespace npu::orch
