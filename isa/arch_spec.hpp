// What a programmer's manual states about a card: capacities, alignment, counts. No latency lives here.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "isa/types.hpp"
#include "isa/units.hpp"

namespace npu::isa {

struct BufferSpec {
  Bytes capacity;           ///< allocatable bytes
  Bytes physical;           ///< addressable bytes (UB: 192 KiB of which 184 KiB are allocatable)
  std::uint32_t alignment;  ///< of a tile's base, bytes
  bool operator==(const BufferSpec&) const = default;
};

struct ArchSpec {
  std::string name;  ///< platform, e.g. "a2a3"
  std::array<BufferSpec, kSpaceCount> buffers;
  std::uint32_t clusters;          ///< 1 AIC and 2 AIV each
  std::uint32_t flags_per_pair;    ///< event ids of one (set pipe, wait pipe) pair
  std::uint32_t cross_flags;       ///< cross-core flag ids of a cluster
  std::uint32_t cross_flag_limit;  ///< largest value of a cross-core counter
  std::uint32_t fractal_rows;      ///< 16: m and n granule of the cube
  std::uint32_t fractal_bytes;     ///< 32: bytes of one fractal row along k
  std::uint32_t cache_line;        ///< bytes of a scalar data-cache line

  [[nodiscard]] const BufferSpec& buffer(Space s) const { return buffers[index_of(s)]; }
  bool operator==(const ArchSpec&) const = default;
};

/// What a machine file and --set call the capacity of a space ("core.ub_kib") and the alignment of tiles in it
/// ("core.ub_align_bytes").
[[nodiscard]] std::string capacity_key(Space space);
[[nodiscard]] std::string alignment_key(Space space);

/// The a2a3 manual's figures, for tests and tools that need a card without a machine file.
[[nodiscard]] ArchSpec a2a3_arch_spec();

}  // namespace npu::isa
