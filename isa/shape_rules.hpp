// How the valid shapes of an instruction's tiles must relate. The verifier applies the rules to static shapes, the
// model at issue to resolved ones.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

/// Limits that PTO states per instruction (isa.md section 5).
inline constexpr std::uint32_t kMaxLoadLinesVector = 4095;   ///< lines of a TLOAD to UB
inline constexpr std::uint32_t kMaxLoadLinesMatrix = 16384;  ///< lines of a TLOAD to L1
inline constexpr std::uint32_t kMaxMatmulExtent = 4095;      ///< m, k and n of a TMATMUL
inline constexpr std::uint32_t kSortBlock = 32;              ///< columns that TSORT32 sorts at a time
inline constexpr std::uint32_t kMaxSortRepeat = 255;         ///< sort blocks of one row

inline constexpr std::uint32_t kUnknownExtent = 0xffffffff;  ///< given by a register; matches everything

/// Valid rows and columns of one tile operand.
struct Extent {
  std::uint32_t rows = kUnknownExtent, cols = kUnknownExtent;
  bool operator==(const Extent&) const = default;
};
/// By instruction field; fields that hold no tile are ignored.
struct ValidExtents {
  std::array<Extent, 3> t;
  Extent bias;
};

/// Shape of the source region that TEXTRACT reads, in source coordinates.
[[nodiscard]] Extent extract_region(const Instruction& ins, const ValidExtents& valid);

/// The rule that the shapes break, if any: the row's ShapeRule, the limits above. Each extent lies within its tile.
/// Cheap when nothing is wrong. Requires a structurally sound program.
[[nodiscard]] std::optional<Violation> check_shapes(const Instruction& ins, const Program& program,
                                                    const ValidExtents& valid);

/// TEXTRACT's origin (row, col), in source coordinates: on a fractal boundary, and the sub-tile inside the valid
/// source.
[[nodiscard]] std::optional<Violation> check_extract_origin(const Instruction& ins, const Program& program,
                                                            const ValidExtents& valid, std::int64_t row,
                                                            std::int64_t col, const ArchSpec& arch);

}  // namespace npu::isa
