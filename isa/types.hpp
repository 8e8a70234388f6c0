// Words of the machine: data types, memory spaces, layouts, pipes, cores.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace npu::isa {

enum class DType : std::uint8_t { I8, U8, I16, I32, I64, F16, BF16, F32 };
inline constexpr std::array<std::string_view, 8> kDTypeNames{"i8", "u8", "i16", "i32", "i64", "f16", "bf16", "f32"};

/// On-chip memories. L1, L0A, L0B, L0C and BT belong to a cube core (AIC), UB to a vector core (AIV).
enum class Space : std::uint8_t { L1, L0A, L0B, L0C, BT, UB };
inline constexpr std::size_t kSpaceCount = 6;
inline constexpr std::array<std::string_view, kSpaceCount> kSpaceNames{"l1", "l0a", "l0b", "l0c", "bt", "ub"};

/// Where bytes lie: in an on-chip memory (the same number as its Space), or in global memory.
enum class Place : std::uint8_t { L1, L0A, L0B, L0C, BT, UB, Gm };
inline constexpr std::size_t kPlaceCount = 7;
inline constexpr std::array<std::string_view, kPlaceCount> kPlaceNames{"l1", "l0a", "l0b", "l0c", "bt", "ub", "gm"};
[[nodiscard]] constexpr Place place_of(Space s) { return static_cast<Place>(s); }

/// How a tile lies in its memory. The host image of ND, NZ, ZZ and ZN is row-major (a line is a row); that of DN and
/// ZNt is column-major (a line is a column). The matrix layouts are tags that are checked, never shuffled:
///   ND  rows one after the other         (UB, GM, L1)
///   DN  columns one after the other      (UB per-row scalars [rows, 1]; GM)
///   NZ  fractal, L1 matrices and L0C     ZZ  fractal, L0A
///   ZN  fractal, L0B loaded from [k, n]  ZNt the same fractal, loaded transposed from [n, k]
enum class Layout : std::uint8_t { ND, DN, NZ, ZZ, ZN, ZNt };
inline constexpr std::array<std::string_view, 6> kLayoutNames{"nd", "dn", "nz", "zz", "zn", "znt"};

/// Execution queues of a core; each runs its instructions in order, concurrently with the others.
enum class Pipe : std::uint8_t { S, MTE2, MTE1, M, FIX, V, MTE3 };
inline constexpr std::size_t kPipeCount = 7;
inline constexpr std::array<std::string_view, kPipeCount> kPipeNames{"s", "mte2", "mte1", "m", "fix", "v", "mte3"};

enum class CoreKind : std::uint8_t { AIC, AIV };
inline constexpr std::array<std::string_view, 2> kCoreKindNames{"aic", "aiv"};

/// Value outside the valid region after TFILLPAD.
enum class Pad : std::uint8_t { None, Zero, Min, Max };
inline constexpr std::array<std::string_view, 4> kPadNames{"none", "zero", "min", "max"};

/// Rounding of TCVT and of accumulator stores. None is the hardware default of the pair (nearest even to a float type,
/// truncation to an integer type).
enum class RoundMode : std::uint8_t { None, Rint, Round, Floor, Ceil, Trunc, Odd };
inline constexpr std::array<std::string_view, 7> kRoundModeNames{"none", "rint",  "round", "floor",
                                                                 "ceil", "trunc", "odd"};

enum class CompareMode : std::uint8_t { Eq, Ne, Gt, Ge, Lt, Le };
inline constexpr std::array<std::string_view, 6> kCompareModeNames{"eq", "ne", "gt", "ge", "lt", "le"};

/// Read by LDSPR.
enum class SpecialReg : std::uint8_t { BlockIndex, BlockCount, SubBlock, CardRank, CardCount, CycleCounter };
inline constexpr std::array<std::string_view, 6> kSpecialRegNames{"block_idx", "block_num", "sub_block",
                                                                  "rank",      "rank_num",  "cycles"};

[[nodiscard]] constexpr std::uint32_t size_of(DType t) {
  constexpr std::array<std::uint32_t, 8> kSizes{1, 1, 2, 4, 8, 2, 2, 4};
  return kSizes[static_cast<std::size_t>(t)];
}
[[nodiscard]] constexpr bool is_float(DType t) { return t == DType::F16 || t == DType::BF16 || t == DType::F32; }
[[nodiscard]] constexpr bool is_column_major(Layout l) { return l == Layout::DN || l == Layout::ZNt; }

template <class Enum>
[[nodiscard]] constexpr std::size_t index_of(Enum e) {
  return static_cast<std::size_t>(e);
}
[[nodiscard]] constexpr std::string_view name_of(DType t) { return kDTypeNames[index_of(t)]; }
[[nodiscard]] constexpr std::string_view name_of(Space s) { return kSpaceNames[index_of(s)]; }
[[nodiscard]] constexpr std::string_view name_of(Place p) { return kPlaceNames[index_of(p)]; }
[[nodiscard]] constexpr std::string_view name_of(Layout l) { return kLayoutNames[index_of(l)]; }
[[nodiscard]] constexpr std::string_view name_of(Pipe p) { return kPipeNames[index_of(p)]; }
[[nodiscard]] constexpr std::string_view name_of(CoreKind k) { return kCoreKindNames[index_of(k)]; }
[[nodiscard]] constexpr std::string_view name_of(Pad p) { return kPadNames[index_of(p)]; }
[[nodiscard]] constexpr std::string_view name_of(RoundMode m) { return kRoundModeNames[index_of(m)]; }
[[nodiscard]] constexpr std::string_view name_of(CompareMode m) { return kCompareModeNames[index_of(m)]; }
[[nodiscard]] constexpr std::string_view name_of(SpecialReg r) { return kSpecialRegNames[index_of(r)]; }

}  // namespace npu::isa
