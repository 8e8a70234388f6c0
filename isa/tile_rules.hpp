// Where a tile may lie and how it may be stored (isa.md section 1, machine.md section 3).
#pragma once

#include <cstdint>
#include <optional>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

/// Bytes from the first to the last element of the first `rows` rows and `cols` columns of the tile.
[[nodiscard]] std::uint64_t footprint(const TileDesc& tile, std::uint64_t rows, std::uint64_t cols);

/// Base alignment and capacity of the tile's full extent at its static offset.
[[nodiscard]] std::optional<Violation> check_placement(const TileDesc& tile, const ArchSpec& arch);

/// The same with the base at `offset` bytes (the static offset plus the register's value), for an access to the first
/// `rows` rows and `cols` columns.
[[nodiscard]] std::optional<Violation> check_placement(const TileDesc& tile, std::int64_t offset, std::uint64_t rows,
                                                       std::uint64_t cols, const ArchSpec& arch);

/// Everything else that a descriptor states: extents, pitch, layout, dtype, fractal multiples.
[[nodiscard]] std::optional<Violation> check_tile(const TileDesc& tile, CoreKind core, const ArchSpec& arch);

[[nodiscard]] std::optional<Violation> check_gm(const GmDesc& gm);

}  // namespace npu::isa
