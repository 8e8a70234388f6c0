// The scalar unit's way to memory: elements of tiles, global memory through its data cache, int32 cells.
#pragma once

#include <cstdint>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/data_cache.hpp"
#include "model/core/local_memory.hpp"

namespace npu::model {

/// Bytes and bounds; when something happens is the caller's to say. Accesses outside of what exists throw ProgramError
/// without a place (CoreContext::named adds it).
class DataPort {
 public:
  DataPort(const CoreContext& core, const LocalMemory& local);

  void begin_block(std::uint64_t time);
  /// Cycle at which everything that was stored has reached memory.
  [[nodiscard]] std::uint64_t stores_done() const { return stores_done_; }

  // ---- elements of tiles
  [[nodiscard]] std::int64_t load_element(const isa::Access& at) const;
  void store_element(const isa::Access& at, std::int64_t value) const;

  // ---- global memory, through the cache
  [[nodiscard]] bool hits(std::uint64_t address) { return cache_.hit(address); }
  /// Throws where the bytes are not inside one tensor, or may not be written.
  void require_accessible(const isa::Access& at) const;
  /// Cycles until the line of the address is there.
  [[nodiscard]] std::uint64_t fill_cycles(std::uint64_t address) const;
  /// The line comes in at `time`; a dirty one that it replaces goes to memory.
  void fill(std::uint64_t address, std::uint64_t time);
  [[nodiscard]] std::int64_t load(const isa::Access& at);
  void store(const isa::Access& at, std::int64_t value);
  /// Lines that hold a byte of [begin, end) are written back where they are dirty, and dropped; how many there were.
  std::uint64_t clean(std::uint64_t begin, std::uint64_t end, std::uint64_t time);

  // ---- cells
  [[nodiscard]] std::int32_t read_cell(std::uint64_t address) const;
  /// A notify leaves at `time`; cycle at which it reaches the cell.
  std::uint64_t send(std::uint64_t address, std::uint64_t time);

 private:
  void write_back(DataCache::Line& line, std::uint64_t time);

  const CoreContext& core_;
  const LocalMemory& local_;
  DataCache cache_;
  std::uint64_t stores_done_ = 0;
};

}  // namespace npu::model
