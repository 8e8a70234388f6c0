// The cube half of every matrix kernel: C tile = A rows x B columns, k loop double-buffered through L1 and L0.
//
//   MTE2   A,B k-slab 0 | A,B k-slab 1 | ...            GM -> L1      (l1_slots slabs in flight)
//   MTE1        left,right 0 | left,right 1 | ...       L1 -> L0A/L0B (l0_slots pairs)
//   M                 matmul 0 | matmul.acc 1 | ...     L0 -> L0C
//   FIX                                        store    L0C -> GM     (acc_slots accumulators)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "isa/arch_spec.hpp"
#include "isa/builder/capacity.hpp"
#include "isa/builder/part_builder.hpp"
#include "kernels/common/plan.hpp"

namespace npu::kernels {

/// How the right operand lies in memory.
enum class WeightOrder : std::uint8_t { KN, NK };

struct MatmulShape {
  std::uint32_t m, n, k;
  isa::DType dtype;  ///< of both operands; i8 accumulates in i32, the others in f32
  WeightOrder order;
};

struct MatmulTiling {
  std::uint32_t base_m, base_n;  ///< C tile
  std::uint32_t base_k;          ///< k of one cube instruction
  std::uint32_t step_k;          ///< cube instructions per L1 slab
  std::uint32_t l1_slots, l0_slots, acc_slots;
  [[nodiscard]] std::uint32_t slab_k() const { return base_k * step_k; }
};

/// A plan that spreads the columns over `cores`: at most 128 rows and 256 columns a tile, and as much of k at a time as
/// L0A, L0B and L1 hold; one fractal of k where they hold less, which the builder then refuses with the memory map.
/// Throws ProgramError, naming the kernel, if k is not made of whole fractals.
[[nodiscard]] MatmulTiling plan_matmul(std::string_view kernel, const isa::ArchSpec& arch, const MatmulShape& shape,
                                       std::uint32_t cores);
/// The most steps of base_k that divide k and make a slab that L1 holds, of at most `limit` elements of k; at least
/// one, and one where the further steps of a [k, n] slab would not start at whole fractals.
[[nodiscard]] std::uint32_t largest_slab(const isa::ArchSpec& arch, const MatmulShape& shape,
                                         const MatmulTiling& tiling, std::uint32_t limit);

/// What of a C tile a kernel can cut where it does not fit.
struct TileCuts {
  bool rows, columns;
};
/// The numbers of a tiling that can be chosen; those of the C tile where the kernel can cut it.
[[nodiscard]] PlanFields tiling_fields(MatmulTiling& tiling, const MatmulShape& shape, const isa::ArchSpec& arch,
                                       TileCuts cuts);
/// The next smaller tiling where L1, L0A, L0B or L0C are exceeded, for a plan to shrink: less k, then fewer buffers,
/// then a smaller C tile; false where none of the cube's spaces is exceeded or nothing is left to cut.
[[nodiscard]] bool cut_tiling(MatmulTiling& tiling, const MatmulShape& shape, const isa::ArchSpec& arch,
                              const isa::CapacityError& error, TileCuts cuts);

/// A product whose C tiles the kernel can cut both ways.
struct MatmulPlan {
  MatmulShape shape;
  MatmulTiling tiling;
  [[nodiscard]] PlanFields fields(const isa::ArchSpec& arch) {
    return tiling_fields(tiling, shape, arch, {.rows = true, .columns = true});
  }
  [[nodiscard]] bool shrink(const isa::ArchSpec& arch, const isa::CapacityError& error) {
    return cut_tiling(tiling, shape, arch, error, {.rows = true, .columns = true});
  }
};

class CubeMatmul {
 public:
  /// Allocates L1, L0A, L0B, L0C of the part. What k leaves behind its last whole slab is a shorter one.
  CubeMatmul(isa::PartBuilder& part, const MatmulShape& shape, const MatmulTiling& tiling);

  /// The k loop of every tile begins at this whole slab and comes back to it at the end: cores that share operands do
  /// not ask for the same bytes at the same time. `slab` is below the number of whole slabs.
  void begin_at(const isa::Reg& slab) { first_k_.emplace(slab * tiling_.slab_k()); }

  using Store = std::function<void(const isa::Tile& acc)>;
  /// C[row .. row+rows) x [col .. col+cols) over the whole k; `store` drains the accumulator (FIX). The first element
  /// of A's row `row` is a.at(row, a_col); B's columns start at b_col in its [k, n], or at row b_col of its [n, k].
  void tile(const isa::GmTensor& a, const isa::Value& row, const isa::Value& a_col, const isa::Value& rows,
            const isa::GmTensor& b, const isa::Value& b_col, const isa::Value& cols, const Store& store);
  /// Two products of the same A rows at once, weights [n, k]: the left half of the accumulator's base_n columns is the
  /// product with rows b_row .. of b0, the right half the one with the same rows of b1. A is read once for both.
  void tile_pair(const isa::GmTensor& a, const isa::Value& row, const isa::Value& rows, const isa::GmTensor& b0,
                 const isa::GmTensor& b1, const isa::Value& b_row, const Store& store);

 private:
  /// Loads `extent` elements of k from `k` on.
  using LoadB = std::function<void(const isa::Tile& slab, const isa::Reg& k, std::uint32_t extent)>;
  void multiply(const isa::GmTensor& a, const isa::Value& row, const isa::Value& a_col, const isa::Value& rows,
                const isa::Value& cols, const LoadB& load_b, const Store& store);

  /// The products of a slab of `extent` elements of k; `step` is 0 in the first slab of a tile.
  void multiply_slab(const isa::Reg& step, std::uint32_t extent, const isa::Tile& acc, const isa::Value& rows,
                     const isa::Value& cols);

  isa::PartBuilder& part_;
  MatmulShape shape_;
  MatmulTiling tiling_;
  std::optional<isa::Reg> first_k_;  ///< where begin_at() has moved it
  isa::Ring& l1_;                    ///< [0] A slab, [1] B slab
  isa::Ring& l0_;                    ///< [0] left, [1] right
  isa::Ring& acc_;
};

}  // namespace npu::kernels
