// The on-chip buffers of a core: their bytes, and what an operation sees of them.
#pragma once

#include <array>
#include <cstddef>

#include "isa/arch_spec.hpp"
#include "isa/operation.hpp"
#include "isa/semantics/semantics.hpp"
#include "model/core/local_space.hpp"

namespace npu::model {

class MemorySystem;

class LocalMemory {
 public:
  /// The spaces that this kind of core owns. Throws std::bad_alloc.
  LocalMemory(isa::CoreKind kind, const isa::ArchSpec& arch);

  /// First byte of an access to a space that the core has.
  [[nodiscard]] std::byte* bytes_of(const isa::Access& access) const {
    return spaces_[isa::index_of(access.place)].data() + access.begin;
  }
  [[nodiscard]] isa::TileView view_of(const isa::Access& access) const;

 private:
  std::array<LocalSpace, isa::kSpaceCount> spaces_;
};

/// Everything that a mover, cube or vector operation computes with. Its accesses lie inside their memories.
[[nodiscard]] isa::Operands operands_of(const isa::Operation& op, const LocalMemory& local, MemorySystem& memory);

}  // namespace npu::model
