// Reads a matrix tile by tile into UB or L1 and does nothing with it: what bounds the load path of a core, of all
// cores, of L2 and of HBM.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct CopyPlan {
  enum class Path : std::uint8_t { GmToUb, GmToL1 };  ///< row-major tiles into UB; fractal tiles (ND to NZ) into L1
  /// Distinct: every core reads a band of rows of its own. Same: every core reads the whole matrix from its first tile
  /// on. Rotated: every core reads the whole matrix, core i of n from row tile i / n of all on.
  enum class Order : std::uint8_t { Distinct, Same, Rotated };

  Path path = Path::GmToUb;
  std::uint32_t rows = 768, cols = 512;
  isa::DType dtype = isa::DType::F16;
  Extent2 tile{16, 256};
  std::uint32_t cores = 0;       ///< 0: all of the kind
  std::uint32_t row_stride = 0;  ///< elements from row to row in memory; 0: cols
  std::uint32_t passes = 1;      ///< how often a slice is read before the next
  std::uint32_t slices = 1;      ///< of columns
  Order order = Order::Distinct;

  [[nodiscard]] std::uint32_t stride() const { return row_stride == 0 ? cols : row_stride; }
  /// Elements of a tile that a core leaves behind: one block of 32 bytes.
  [[nodiscard]] std::uint32_t left_behind() const { return 32 / isa::size_of(dtype); }
};

/// Arguments: x [rows, row_stride], seen [cores, left_behind()]: the first 32 bytes of the last tile that each core has
/// read (as many of them as the tile has), so that a run shows that its loads are right. Tiles go one after the other
/// into one buffer, without a consumer to wait for. Throws ConfigError for a plan that contradicts itself,
/// CapacityError for tiles that do not fit.
[[nodiscard]] Kernel copy(const CopyPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
