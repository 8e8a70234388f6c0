// The plan of a matrix product: which core computes which blocks of C, in which order, through which buffers.
#pragma once

#include <cstdint>
#include <functional>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/cube_matmul.hpp"

namespace npu::kernels {

struct GemmPlan {
  /// ND: B is [k, n]; DN: B is stored [n, k]; NZ: B lies in columns of fractals.
  enum class BLayout : std::uint8_t { ND, DN, NZ };
  /// Row: blocks row by row. Swizzle: blocks in panels of rows that all cores finish before the next, so that what they
  /// share stays in L2.
  enum class BlockOrder : std::uint8_t { Row, Swizzle };

  std::uint32_t groups = 1;  ///< products of m rows each, with weights of their own
  std::uint32_t m = 64, n = 256, k = 256;
  isa::DType dtype = isa::DType::F16;
  isa::DType out = isa::DType::F16;
  BLayout b_layout = BLayout::ND;

  // 0: chosen by resolved().
  Extent3 base;              ///< block of C, and k of one cube instruction
  std::uint32_t step_k = 0;  ///< base blocks along k that one load brings
  Extent2 grid;              ///< cores along m and n, each with a rectangle of C; 0: blocks go round
  std::uint32_t cores = 0;
  std::uint32_t l1_buffers = 2, l0_buffers = 2, acc_buffers = 1;

  BlockOrder order = BlockOrder::Row;
  std::uint32_t split_k = 1;  ///< parts of k that different cores add up in C
  bool unit_flag = false, prefetch_b = false, stagger_k = false;

  [[nodiscard]] WeightOrder weight_order() const { return b_layout == BLayout::DN ? WeightOrder::NK : WeightOrder::KN; }
  [[nodiscard]] std::uint32_t part_k() const { return k / split_k; }
  [[nodiscard]] MatmulShape shape() const { return {m, n, part_k(), dtype, weight_order()}; }
  [[nodiscard]] MatmulTiling tiling() const {
    return {base.m, base.n, base.k, step_k, l1_buffers, l0_buffers, acc_buffers};
  }
};

/// The plan with everything chosen: cores and grid agree; without a base, the block of C that keeps the cores busy
/// longest for the bytes that they load, and as much of k as L0 and L1 hold. Throws ConfigError, with the reason and
/// the way out, for what contradicts itself, the card or the instruction set. `kernel` opens the messages.
[[nodiscard]] GemmPlan resolved(const char* kernel, const GemmPlan& plan, const isa::ArchSpec& arch);

/// A block of C that a core computes: rows [row, row + rows) of its group, columns [col, col + cols), part `part` of k.
/// Extents are constants where no block is cut.
struct GemmBlock {
  isa::Value group, part, row, rows, col, cols;
};
/// In a part of the kernel: the blocks of this core, in order. The plan is a resolved one.
void for_each_block(isa::PartBuilder& part, const GemmPlan& plan, const std::function<void(const GemmBlock&)>& body);

}  // namespace npu::kernels
