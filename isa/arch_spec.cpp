#include "isa/arch_spec.hpp"

#include <fmt/format.h>

namespace npu::isa {

std::string capacity_key(Space space) { return fmt::format("core.{}_kib", name_of(space)); }
std::string alignment_key(Space space) { return fmt::format("core.{}_align_bytes", name_of(space)); }

ArchSpec a2a3_arch_spec() {
  // machine.md section 3 (buffers) and 6.4 (flags).
  const auto kib = [](std::uint64_t n) { return Bytes{n * 1024}; };
  return {.name = "a2a3",
          .buffers = {{{kib(512), kib(512), 32},
                       {kib(64), kib(64), 512},
                       {kib(64), kib(64), 512},
                       {kib(128), kib(128), 64},
                       {kib(1), kib(1), 64},
                       {kib(184), kib(192), 32}}},
          .clusters = 24,
          .flags_per_pair = 8,
          .cross_flags = 16,
          .cross_flag_limit = 15,
          .fractal_rows = 16,
          .fractal_bytes = 32,
          .cache_line = 64};
}

}  // namespace npu::isa
