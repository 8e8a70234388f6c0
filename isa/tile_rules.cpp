#include "isa/tile_rules.hpp"

#include <fmt/format.h>

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

std::uint64_t line_bytes(const TileDesc& t) {
  return std::uint64_t{is_column_major(t.layout) ? t.rows : t.cols} * size_of(t.dtype);
}

struct SpaceRule {
  bool layout_ok;
  std::string_view layouts;
  bool dtype_ok;
  std::string_view dtypes;
};

bool is_multiplicand(DType t) { return t == DType::I8 || t == DType::F16 || t == DType::BF16 || t == DType::F32; }
bool is_accumulator(DType t) { return t == DType::I32 || t == DType::F32; }

SpaceRule space_rule(const TileDesc& t) {
  constexpr std::string_view kMultiplicands = "i8, f16, bf16 or f32", kAccumulators = "i32 or f32";
  switch (t.space) {
    case Space::L1:
      return {t.layout == Layout::NZ || t.layout == Layout::ND, "nz or nd", true, ""};
    case Space::L0A:
      return {t.layout == Layout::ZZ, "zz", is_multiplicand(t.dtype), kMultiplicands};
    case Space::L0B:
      return {t.layout == Layout::ZN || t.layout == Layout::ZNt, "zn or znt", is_multiplicand(t.dtype), kMultiplicands};
    case Space::L0C:
      return {t.layout == Layout::NZ, "nz", is_accumulator(t.dtype), kAccumulators};
    case Space::BT:
      return {t.layout == Layout::ND, "nd", is_accumulator(t.dtype), kAccumulators};
    case Space::UB:
      return {t.layout == Layout::ND || t.layout == Layout::DN, "nd or dn", true, ""};
  }
  NPU_ASSERT(false, "space without layouts");
  return {};
}

/// Physical granule of rows and columns: whole fractals in the L0 buffers, one element elsewhere.
std::optional<Violation> check_fractals(const TileDesc& t, const ArchSpec& arch) {
  const std::uint32_t k = arch.fractal_bytes / size_of(t.dtype);
  std::uint32_t rows = 1, cols = 1;
  if (t.space == Space::L0A) rows = arch.fractal_rows, cols = k;
  if (t.space == Space::L0B) rows = k, cols = arch.fractal_rows;
  if (t.space == Space::L0C) rows = cols = arch.fractal_rows;
  if (t.rows % rows == 0 && t.cols % cols == 0) return std::nullopt;
  return Violation{
      Stage::Layout, fmt::format("{} tile is [{}, {}]", name_of(t.space), t.rows, t.cols),
      fmt::format("rows in multiples of {}, columns of {} (core.fractal_rows, core.fractal_bytes)", rows, cols),
      "round the tile up to whole fractals and narrow its valid region"};
}

}  // namespace

std::uint64_t footprint(const TileDesc& tile, std::uint64_t rows, std::uint64_t cols) {
  const bool columns = is_column_major(tile.layout);
  return extent_of_lines(columns ? cols : rows, (columns ? rows : cols) * size_of(tile.dtype), tile.pitch);
}

std::optional<Violation> check_placement(const TileDesc& tile, const ArchSpec& arch) {
  return check_placement(tile, tile.offset, tile.rows, tile.cols, arch);
}

std::optional<Violation> check_placement(const TileDesc& tile, std::int64_t offset, std::uint64_t rows,
                                         std::uint64_t cols, const ArchSpec& arch) {
  const BufferSpec& buffer = arch.buffer(tile.space);
  if (offset % buffer.alignment != 0) {
    return Violation{Stage::Layout, fmt::format("base offset {} in {}", offset, name_of(tile.space)),
                     fmt::format("multiples of {} bytes ({})", buffer.alignment, alignment_key(tile.space)),
                     "align the tile's base"};
  }
  const std::uint64_t bytes = footprint(tile, rows, cols), capacity = buffer.capacity.count();
  const bool fits = offset >= 0 && bytes <= capacity && static_cast<std::uint64_t>(offset) <= capacity - bytes;
  if (fits) return std::nullopt;
  return Violation{Stage::Target, fmt::format("{} bytes at offset {} leave {}", bytes, offset, name_of(tile.space)),
                   fmt::format("{} allocatable bytes on {} ({})", capacity, arch.name, capacity_key(tile.space)),
                   "use smaller tiles or fewer buffers, or reuse the space of a dead tile"};
}

std::optional<Violation> check_tile(const TileDesc& tile, CoreKind core, const ArchSpec& arch) {
  if (owner_of(tile.space) != core) {
    return Violation{Stage::Target, fmt::format("tile in {}", name_of(tile.space)),
                     fmt::format("{} belongs to {} cores", name_of(tile.space), name_of(owner_of(tile.space))),
                     "pass the data to the other part through global memory"};
  }
  if (tile.rows == 0 || tile.cols == 0) {
    return Violation{Stage::Shape, fmt::format("tile is [{}, {}]", tile.rows, tile.cols), "at least one row and column",
                     "give the tile an extent"};
  }
  if ((tile.valid_rows_reg == 0 && tile.valid_rows > tile.rows) ||
      (tile.valid_cols_reg == 0 && tile.valid_cols > tile.cols)) {
    return Violation{Stage::Shape, fmt::format("valid region is [{}, {}]", tile.valid_rows, tile.valid_cols),
                     fmt::format("the tile is [{}, {}]", tile.rows, tile.cols),
                     "shrink the valid region or allocate a larger tile"};
  }
  const SpaceRule rule = space_rule(tile);
  if (!rule.layout_ok) {
    return Violation{Stage::Layout, fmt::format("layout {} in {}", name_of(tile.layout), name_of(tile.space)),
                     std::string{rule.layouts}, "state the layout that the space holds"};
  }
  if (!rule.dtype_ok) {
    return Violation{Stage::Type, fmt::format("{} tile in {}", name_of(tile.dtype), name_of(tile.space)),
                     std::string{rule.dtypes}, "convert on a vector core first"};
  }
  if (tile.pitch < line_bytes(tile)) {
    return Violation{Stage::Layout, fmt::format("pitch {} is shorter than a line", tile.pitch),
                     fmt::format("a line is {} bytes", line_bytes(tile)), "widen the pitch or narrow the tile"};
  }
  if (tile.space == Space::UB && tile.pitch % arch.buffer(Space::UB).alignment != 0) {
    return Violation{
        Stage::Layout, fmt::format("pitch {} in ub", tile.pitch),
        fmt::format("multiples of {} bytes ({})", arch.buffer(Space::UB).alignment, alignment_key(Space::UB)),
        "round the pitch up"};
  }
  return check_fractals(tile, arch);
}

std::optional<Violation> check_gm(const GmDesc& gm) {
  if (gm.layout != Layout::ND && gm.layout != Layout::DN) {
    return Violation{Stage::Layout, fmt::format("view of layout {}", name_of(gm.layout)), "nd or dn",
                     "describe the lines in memory order"};
  }
  if (gm.base_reg == 0) {
    return Violation{Stage::Target, "view without a base register", "r1 to r31 hold the address",
                     "load the address of the tensor with ldarg"};
  }
  return std::nullopt;
}

}  // namespace npu::isa
