// What the tiles of a kernel need of each on-chip space, and what to cut when that is too much.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/errors.hpp"
#include "isa/program.hpp"

namespace npu::isa {

/// What one allocation occupies, for the memory map.
struct Allocation {
  Space space;
  std::string name;
  std::uint32_t offset;
  std::uint32_t bytes;
  DType dtype = DType::F32;
  std::uint32_t rows = 0, cols = 0;  ///< as asked for; 0: the further slots of a ring
  std::uint32_t slots = 1;           ///< of the ring that the tile is in; `bytes` are those of one slot
};

/// One space of one kernel.
struct SpaceBudget {
  Space space;
  std::uint64_t used = 0, limit = 0;
  const Allocation* largest = nullptr;  ///< tile that takes most, all slots counted; points into the memory map
  [[nodiscard]] bool is_over() const { return used > limit; }
};
/// Of the spaces that the map uses, in order of Space.
[[nodiscard]] std::vector<SpaceBudget> budgets_of(const std::vector<Allocation>& memory_map, const ArchSpec& arch);

/// "columns of x (2 slots of 16x4096 f32) to 1024": the longer side of the largest tile, and how long it may be where
/// shortening it suffices.
[[nodiscard]] std::string first_cut(const SpaceBudget& budget);

/// Tiles that do not fit on the card. Carries what is needed to report the whole budget.
struct CapacityError : ProgramError {
  CapacityError(const std::string& message, std::vector<Space> exceeded, std::vector<Allocation> map)
      : ProgramError{message}, spaces{std::move(exceeded)}, memory_map{std::move(map)} {}
  [[nodiscard]] bool exceeds(Space s) const { return std::find(spaces.begin(), spaces.end(), s) != spaces.end(); }
  std::vector<Space> spaces;  ///< that are over their limit
  std::vector<Allocation> memory_map;
};

/// Throws CapacityError with the memory map of every space that is over its limit.
void require_capacity(const std::string& kernel, const std::vector<Allocation>& memory_map, const ArchSpec& arch);

}  // namespace npu::isa
