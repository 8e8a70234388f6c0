// One or several exchanges over the same windows: inputs of every card, the kernels, and the untiled exchange.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "kernels/common/layer_config.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu::test {

inline constexpr std::int8_t kUntouched = 0x55;

[[nodiscard]] kernels::LayerConfig small_exchange(std::uint32_t ranks);

/// Expert of a route, by (rank, token, k).
using Routing = std::function<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t)>;
/// Distinct experts for a token, spread by a multiplicative hash.
[[nodiscard]] Routing spread(const kernels::LayerConfig& config);

/// All cards and epochs. Tensors of epoch e are bound as "e<e>.<argument>", the windows once.
class Exchange {
 public:
  /// One epoch per routing.
  Exchange(const kernels::LayerConfig& config, const std::vector<Routing>& routings,
           std::vector<double> start_skew_us = {});

  /// The halves of epoch 0, each as simulations of its own.
  void dispatch();
  void combine();
  /// All epochs, one after the other in one simulation.
  void run_all();

  void check_received(std::size_t epoch);
  void check_combined(std::size_t epoch);

  struct Card {
    std::vector<std::int32_t> indices;
    std::vector<float> weights, scale;
    std::vector<std::int8_t> x;
    std::vector<isa::Bf16> y, shared;
  };
  struct Received {
    std::vector<std::int8_t> x;
    std::vector<float> scale, w;
    std::vector<std::int32_t> route, source, count;
  };
  [[nodiscard]] std::vector<Received> reference_dispatch(std::size_t epoch) const;

  kernels::LayerConfig c;
  KernelBench bench;
  std::vector<std::vector<Card>> epochs;  ///< one card per rank
  double push_us = 0;

 private:
  void bind_windows(std::uint32_t rank);
  void bind(std::size_t epoch, std::uint32_t rank);
  [[nodiscard]] Launch launch(const kernels::Kernel& kernel, std::size_t epoch) const;

  kernels::Kernel dispatch_, combine_push_, combine_reduce_;
};

}  // namespace npu::test
