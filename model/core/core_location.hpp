// Where a core sits, and how that place is called in traces and messages.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "isa/arch_spec.hpp"

namespace npu::model {

struct CoreLocation {
  std::uint32_t card = 0;
  std::uint32_t cluster = 0;
  isa::CoreKind kind = isa::CoreKind::AIC;
  std::uint32_t sub_block = 0;  ///< which vector core of the cluster: 0 or 1; 0 for a cube core
  std::uint32_t index = 0;      ///< on the card: cube cores first, then the vector cores cluster by cluster
};

using isa::kVectorCoresPerCluster;
inline constexpr std::uint32_t kCoresPerCluster = 1 + kVectorCoresPerCluster;

/// Location number `index` of a card with `clusters` clusters: AIC c is c, AIV s of cluster c is clusters + 2*c + s.
[[nodiscard]] constexpr CoreLocation core_location(std::uint32_t card, std::uint32_t clusters, std::uint32_t index) {
  if (index < clusters) return {card, index, isa::CoreKind::AIC, 0, index};
  const std::uint32_t vector = index - clusters;
  return {card, vector / kVectorCoresPerCluster, isa::CoreKind::AIV, vector % kVectorCoresPerCluster, index};
}

/// Track name: "card0.cluster3.aic", "card0.cluster3.aiv1".
[[nodiscard]] inline std::string track_name(const CoreLocation& at) {
  if (at.kind == isa::CoreKind::AIC) return fmt::format("card{}.cluster{}.aic", at.card, at.cluster);
  return fmt::format("card{}.cluster{}.aiv{}", at.card, at.cluster, at.sub_block);
}

}  // namespace npu::model
