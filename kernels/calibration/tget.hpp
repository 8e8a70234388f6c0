// Reads a tensor of the neighbour card, tile by tile: what a core reaches over the link.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct TgetPlan {
  /// Mte: the core's own movers, through UB. Sdma: the copy engine between the cards.
  enum class Engine : std::uint8_t { Mte, Sdma };

  std::uint32_t bytes = 65'536;
  Engine engine = Engine::Mte;
  std::uint32_t tile_bytes = 4096;  ///< of one load and store
};

/// One vector core on each of `cards` cards. Arguments: remote [bytes] u8, whose like on card (rank + 1) % cards is
/// read, and local [bytes] u8, where it goes. A tile is stored before the next is loaded. Throws ConfigError for an
/// engine that there is none of, CapacityError for tiles that do not fit.
[[nodiscard]] Kernel tget(const TgetPlan& plan, const isa::ArchSpec& arch, std::uint32_t cards);

}  // namespace npu::kernels
