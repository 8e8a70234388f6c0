#include "kernels/calibration/flash_attention.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "kernels/calibration/flash_attention_parts.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// The largest multiple of the granule that divides the extent and is at most `most`; 0 where there is none.
std::uint32_t largest_divisor(std::uint32_t extent, std::uint32_t granule, std::uint32_t most) {
  for (std::uint32_t n = most / granule * granule; n > 0; n -= granule) {
    if (extent % n == 0) return n;
  }
  return 0;
}

void require_divides(const char* part, std::uint32_t divisor, const char* whole, std::uint32_t extent) {
  if (divisor != 0 && extent % divisor == 0) return;
  throw config_error("flash-attention: {} {} is no whole number of {} {}; choose a multiple or a divisor", whole,
                     extent, part, divisor);
}

}  // namespace

FlashAttentionPlan resolved(const FlashAttentionPlan& wanted, const ArchSpec& arch) {
  constexpr std::uint32_t kMost = 128, kTileProducts = 2;
  FlashAttentionPlan p = wanted;
  const std::uint32_t granule = arch.fractal_rows;
  const auto refuse_odd = [&](const char* flag, std::uint32_t extent) {
    throw config_error("flash-attention: {} {} does not divide into blocks of whole fractals; choose a multiple of {}",
                       flag, extent, granule);
  };
  if (p.s1 % granule != 0) refuse_odd("--s1", p.s1);
  if (p.s0 % granule != 0) refuse_odd("--s0", p.s0);
  if (p.head_dim % granule != 0) refuse_odd("--head-dim", p.head_dim);
  if (p.cube_s0 == 0) p.cube_s0 = largest_divisor(p.s0, granule, kMost);
  if (p.cube_s1 == 0) p.cube_s1 = largest_divisor(p.tile_s1 != 0 ? p.tile_s1 : p.s1, granule, kMost);
  if (p.tile_s1 == 0) {
    const bool fits = p.s1 % (kTileProducts * p.cube_s1) == 0 && p.cube_s0 % (2 * granule) == 0;
    p.tile_s1 = fits ? kTileProducts * p.cube_s1 : p.cube_s1;
  }
  require_divides("--cube-s0", p.cube_s0, "--s0", p.s0);
  require_divides("--tile-s1", p.tile_s1, "--s1", p.s1);
  require_divides("--cube-s1", p.cube_s1, "--tile-s1", p.tile_s1);
  const std::uint32_t products = p.tile_s1 / p.cube_s1;
  if (p.cube_s0 % (products * granule) != 0 || p.cube_s1 % granule != 0) {
    throw config_error(
        "flash-attention: --cube-s0 {} by --tile-s1 {} / --cube-s1 {} leaves the vector cores no whole blocks of rows; "
        "--cube-s0 is a multiple of {}, --cube-s1 of {}",
        p.cube_s0, p.tile_s1, p.cube_s1, products * granule, granule);
  }
  if (p.fifo <= p.preload) {
    throw config_error("flash-attention: --fifo {} tiles in flight do not hold --preload {} and the next; choose more",
                       p.fifo, p.preload);
  }
  p.cores =
      cores_of("flash-attention", p.cores == 0 ? std::min(p.blocks(), arch.clusters) : p.cores, arch.clusters, "cube");
  return p;
}

namespace flash {

Fifos fifos_of(const FlashAttentionPlan& p) {
  const auto fifo = [&](std::uint32_t cols, DType dtype, std::uint32_t first_flag) {
    return CrossFifo{.slots = p.fifo,
                     .rows = p.cube_s0,
                     .cols = cols,
                     .dtype = dtype,
                     .full_id = first_flag,
                     .free_id = first_flag + 1};
  };
  return {fifo(p.tile_s1, DType::F32, 0), fifo(p.tile_s1, DType::F16, 2), fifo(p.head_dim, DType::F32, 4), p.cores};
}

GmTensor region(PartBuilder& part, const Arguments& arguments, std::uint64_t offset, const CrossFifo& fifo) {
  const GmTensor workspace = part.tensor(arguments.workspace);
  return {workspace.base() + static_cast<std::int64_t>(offset), fifo.dtype, fifo.cols};
}

void walk(PartBuilder& part, const FlashAttentionPlan& p, const Walk& steps) {
  const std::uint32_t per_head = p.s0 / p.cube_s0;
  part.for_range(part.block_index(), p.blocks(), p.cores, [&](const Reg& block) {
    {
      const Reg query = block * p.cube_s0, key = block / per_head * p.s1;
      steps.begin(query, key);
    }
    part.for_range(0, p.tiles() + p.preload, 1, [&](const Reg& tile) {
      part.if_(tile < p.tiles(), [&] { steps.ahead(tile); });
      part.if_(tile >= p.preload, [&] { steps.behind(tile - p.preload); });
    });
    steps.end();
  });
}

}  // namespace flash

//   cube    scores 0 | scores 1 | ... | scores p, values 0 | scores p + 1, values 1 | ...     p = preload
//   vector            softmax 0 | ... | softmax p, merge 0 | softmax p + 1, merge 1 | ...     each core half of the
//   rows
Kernel flash_attention(const FlashAttentionPlan& wanted, const ArchSpec& arch) {
  const FlashAttentionPlan plan = resolved(wanted, arch);
  KernelBuilder k{"flash_attention", arch};
  const auto q = k.input("q", DType::F16, plan.head_dim);
  const auto keys = k.input("k", DType::F16, plan.head_dim);
  const auto v = k.input("v", DType::F16, plan.head_dim);
  const auto o = k.output("o", DType::F32, plan.head_dim);
  const auto workspace = k.workspace(DType::U8, 1);
  const flash::Arguments arguments{q, keys, v, o, workspace};
  k.cube([&](PartBuilder& p) { flash::emit_cube(p, plan, arguments); });
  k.vector([&](PartBuilder& p) { flash::emit_vector(p, plan, arguments); });
  return pack(k, plan.cores, flash::fifos_of(plan).bytes());
}

}  // namespace npu::kernels
