// Constants of the object file that encoder and decoder share, and its checksum.
#pragma once

#include <boost/crc.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace npu::isa {

enum class Section : std::uint8_t { Args, PartName, Code, Tiles, Gms, TileNames, SourceLines, SourceFile };
/// Which part a section belongs to.
enum class Owner : std::uint8_t { Kernel, Cube, Vector };

inline constexpr std::uint8_t kHasCube = 1, kHasVector = 2;  ///< bits of the kernel kind
inline constexpr std::uint8_t kSyncStart = 1;                ///< bit of the launch

/// Bytes of one element, or the least that one can have.
inline constexpr std::size_t kCodeBytes = 16, kTileBytes = 23, kGmBytes = 16, kLineBytes = 4, kMinNameBytes = 4,
                             kMinArgBytes = 14;

[[nodiscard]] inline std::uint32_t checksum(std::span<const std::byte> bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

}  // namespace npu::isa
