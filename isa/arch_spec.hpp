// What a programmer's manual states about a card: capacities, alignment, counts, pipes, data paths, addresses. No
// latency lives here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "isa/instructions/opcode.hpp"
#include "isa/types.hpp"
#include "isa/units.hpp"

namespace npu::isa {

/// A cluster is one cube core and its vector cores.
inline constexpr std::uint32_t kVectorCoresPerCluster = 2;

/// Event ids that a machine may have (`--set core.flags_per_pair` and `core.cross_flags` may raise a machine to this).
inline constexpr std::uint32_t kMaxFlagsPerPair = 64, kMaxCrossFlags = 64;

/// Bytes; a line that starts in a tensor ends in front of the next one.
inline constexpr std::uint32_t kMaxCacheLine = 512;

/// Global memory is addressed by byte; the bits from here on name the card, counted from 1.
inline constexpr unsigned kCardShift = 40;

struct BufferSpec {
  Bytes capacity;           ///< allocatable bytes
  Bytes physical;           ///< addressable bytes (UB: 192 KiB of which 184 KiB are allocatable)
  std::uint32_t alignment;  ///< of a tile's base, bytes
  bool operator==(const BufferSpec&) const = default;
};

/// Whether the memory is the cube core's or the vector core's.
[[nodiscard]] constexpr CoreKind owner_of(Space s) { return s == Space::UB ? CoreKind::AIV : CoreKind::AIC; }

/// The pipe that moves data from one place to another, by [from][to]; empty where there is no path.
using DataPaths = std::array<std::array<std::optional<Pipe>, kPlaceCount>, kPlaceCount>;
/// The pipes that a kind of core has, by [core kind][pipe].
using CorePipes = std::array<std::array<bool, kPipeCount>, 2>;

/// machine.md section 3.2, a2a3. Not modelled: global memory to L0A and L0B, and the scaling buffers.
[[nodiscard]] constexpr DataPaths a2a3_data_paths() {
  DataPaths paths{};
  const auto path = [&](Place from, Place to, Pipe pipe) { paths[index_of(from)][index_of(to)] = pipe; };
  path(Place::Gm, Place::L1, Pipe::MTE2);
  path(Place::Gm, Place::UB, Pipe::MTE2);
  path(Place::L1, Place::L0A, Pipe::MTE1);
  path(Place::L1, Place::L0B, Pipe::MTE1);
  path(Place::L1, Place::BT, Pipe::MTE1);
  path(Place::L1, Place::Gm, Pipe::MTE3);
  path(Place::L0C, Place::Gm, Pipe::FIX);
  path(Place::L0C, Place::L1, Pipe::FIX);
  path(Place::UB, Place::Gm, Pipe::MTE3);
  path(Place::UB, Place::UB, Pipe::V);
  return paths;
}

[[nodiscard]] constexpr CorePipes a2a3_pipes() {
  CorePipes pipes{};
  for (const Pipe p : {Pipe::S, Pipe::MTE2, Pipe::MTE1, Pipe::M, Pipe::FIX, Pipe::MTE3})
    pipes[index_of(CoreKind::AIC)][index_of(p)] = true;
  for (const Pipe p : {Pipe::S, Pipe::MTE2, Pipe::V, Pipe::MTE3}) pipes[index_of(CoreKind::AIV)][index_of(p)] = true;
  return pipes;
}

struct ArchSpec {
  std::string name;  ///< platform, e.g. "a2a3"
  std::array<BufferSpec, kSpaceCount> buffers;
  std::uint32_t clusters;          ///< 1 AIC and kVectorCoresPerCluster AIVs each
  std::uint32_t flags_per_pair;    ///< event ids of one (set pipe, wait pipe) pair, at most kMaxFlagsPerPair
  std::uint32_t cross_flags;       ///< cross-core flag ids of a cluster, at most kMaxCrossFlags
  std::uint32_t cross_flag_limit;  ///< largest value of a cross-core counter
  std::uint32_t fractal_rows;      ///< 16: m and n granule of the cube
  std::uint32_t fractal_bytes;     ///< 32: bytes of one fractal row along k
  std::uint32_t cache_line;        ///< bytes of a scalar data-cache line
  DataPaths paths = a2a3_data_paths();
  CorePipes pipes = a2a3_pipes();

  [[nodiscard]] const BufferSpec& buffer(Space s) const { return buffers[index_of(s)]; }
  [[nodiscard]] std::uint32_t vector_cores() const { return kVectorCoresPerCluster * clusters; }
  [[nodiscard]] bool has_pipe(CoreKind core, Pipe pipe) const { return pipes[index_of(core)][index_of(pipe)]; }
  [[nodiscard]] std::optional<Pipe> path(Place from, Place to) const { return paths[index_of(from)][index_of(to)]; }
  /// Ids of the flags that the instruction sets or waits for: below this number.
  [[nodiscard]] std::uint32_t flag_ids(Opcode op) const {
    return op == Opcode::SetCross || op == Opcode::WaitCross ? cross_flags : flags_per_pair;
  }
  bool operator==(const ArchSpec&) const = default;
};

/// What a machine file and --set call the capacity of a space ("core.ub_kib") and the alignment of tiles in it
/// ("core.ub_align_bytes").
[[nodiscard]] std::string capacity_key(Space space);
[[nodiscard]] std::string alignment_key(Space space);

/// The a2a3 manual's figures, for tests and tools that need a card without a machine file.
[[nodiscard]] ArchSpec a2a3_arch_spec();

}  // namespace npu::isa
