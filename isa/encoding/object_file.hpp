// Kernel objects on file (.npuo); the layout is in isa/README.md, "Object file".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/program.hpp"

namespace npu::isa {

inline constexpr std::array<char, 4> kObjectMagic{'N', 'P', 'U', 'O'};
inline constexpr std::uint16_t kObjectVersion = 3;
inline constexpr std::size_t kObjectChecksumOffset = 12;  ///< CRC-32 of all bytes after it

/// Bytes of the object for the target profile (ArchSpec::name). Throws ProgramError if the object is not structurally
/// sound (verifier.hpp).
[[nodiscard]] std::vector<std::byte> encode(const KernelObject& object, std::string_view target);

/// Throws ConfigError for what is wrong with the file (magic, version, size, checksum, sections) and ProgramError for
/// what is wrong with its programs (opcodes, dtypes, other enum values, indices), both with file, offset and reason.
/// Accepts exactly what encode writes.
[[nodiscard]] KernelObject decode(std::span<const std::byte> bytes, std::string_view file_name);

/// The target profile that the file names; the same checks of the container as decode.
[[nodiscard]] std::string decode_target(std::span<const std::byte> bytes, std::string_view file_name);

}  // namespace npu::isa
