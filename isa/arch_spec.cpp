#include "isa/arch_spec.hpp"

#include <fmt/format.h>

namespace npu::isa {
namespace {

/// A path joins memories of one core kind, and that kind has its pipe.
constexpr bool paths_belong_to_cores() {
  constexpr DataPaths kPaths = a2a3_data_paths();
  constexpr CorePipes kPipes = a2a3_pipes();
  for (std::size_t from = 0; from < kPlaceCount; ++from) {
    for (std::size_t to = 0; to < kPlaceCount; ++to) {
      if (!kPaths[from][to]) continue;
      const bool from_gm = from == index_of(Place::Gm), to_gm = to == index_of(Place::Gm);
      if (from_gm && to_gm) return false;
      const CoreKind owner = owner_of(static_cast<Space>(from_gm ? to : from));
      if (!from_gm && !to_gm && owner_of(static_cast<Space>(to)) != owner) return false;
      if (!kPipes[index_of(owner)][index_of(*kPaths[from][to])]) return false;
    }
  }
  return true;
}
static_assert(paths_belong_to_cores());

}  // namespace

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
