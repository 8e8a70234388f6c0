// Which vector instructions of the host the hot loops use. Results never depend on it: every variant computes the same
// bits, and tests run them against each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace npu::isa {

enum class HostVariant : std::uint8_t { Baseline, Avx2, Avx512 };
inline constexpr std::array<std::string_view, 3> kHostVariantNames{"baseline", "avx2", "avx512"};

/// True if this processor can run the variant.
[[nodiscard]] bool host_supports(HostVariant variant);
/// The environment variable that chooses the variant of a process by its name.
inline constexpr const char* kHostVariantSetting = "NPU_HOST_VARIANT";
/// The widest variant that the processor supports, unless the environment or select_host_variant chose another. Throws
/// ConfigError where the environment names none that the processor has; once it has returned it never throws.
[[nodiscard]] HostVariant host_variant();
[[nodiscard]] inline std::string_view name_of(HostVariant v) { return kHostVariantNames[static_cast<std::size_t>(v)]; }
/// For tests and benchmarks. Requires host_supports(variant).
void select_host_variant(HostVariant variant);

}  // namespace npu::isa
