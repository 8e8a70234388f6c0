#include "kernels/common/cube_matmul.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "isa/units.hpp"
#include "kernels/common/fitting.hpp"

namespace npu::kernels {

using isa::DType;
using isa::GmTensor;
using isa::Layout;
using isa::Pipe;
using isa::Reg;
using isa::Space;
using isa::Tile;
using isa::Value;

namespace {

constexpr std::uint32_t kMaxRows = 128, kMaxColumns = 256;  // of a C tile

DType accumulator_of(DType operand) { return operand == DType::I8 ? DType::I32 : DType::F32; }

/// The largest multiple of `granule` that divides k and does not exceed `limit`; the granule if the limit is below it.
/// Requires k to be a multiple of the granule.
std::uint32_t largest_step(std::uint32_t k, std::uint32_t granule, std::uint32_t limit) {
  std::uint32_t step = std::max(granule, std::min(k, limit) / granule * granule);
  while (k % step != 0) step -= granule;
  return step;
}

std::uint32_t bytes_of(const isa::ArchSpec& arch, Space space) {
  return static_cast<std::uint32_t>(arch.buffer(space).capacity.count());
}

/// Elements of k that a slot of both L0 buffers holds. The two share the distance of their slots: the longer one's.
std::uint32_t operand_k(const isa::ArchSpec& arch, const MatmulTiling& t, std::uint32_t size) {
  const std::uint32_t others = (t.l0_slots - 1) * std::max(t.base_m, t.base_n);
  return std::min(bytes_of(arch, Space::L0A) / ((others + t.base_m) * size),
                  bytes_of(arch, Space::L0B) / ((others + t.base_n) * size));
}

/// Elements of k that a slot of L1 holds of both operands.
std::uint32_t slab_k(const isa::ArchSpec& arch, const MatmulTiling& t, std::uint32_t size) {
  return bytes_of(arch, Space::L1) / (t.l1_slots * (t.base_m + t.base_n) * size);
}

/// As much of k at a time as fits, in slabs whose lines in memory are at most 1 KiB unless one step is longer.
void plan_k(MatmulTiling& t, const isa::ArchSpec& arch, const MatmulShape& s) {
  constexpr std::uint32_t kLineBytes = 1024;
  const std::uint32_t size = isa::size_of(s.dtype);
  t.base_k = largest_step(s.k, arch.fractal_bytes / size,
                          std::min({operand_k(arch, t, size), slab_k(arch, t, size), isa::kMaxMatmulExtent}));
  t.step_k = largest_slab(arch, s, t, kLineBytes / size);
}

}  // namespace

MatmulTiling plan_matmul(std::string_view kernel, const isa::ArchSpec& arch, const MatmulShape& s,
                         std::uint32_t cores) {
  const std::uint32_t size = isa::size_of(s.dtype), k0 = arch.fractal_bytes / size;
  if (s.k % k0 != 0) {
    throw program_error(
        "kernel {}: k = {} of its matrix product does not divide into fractals of {} {} (core.fractal_bytes = {}); "
        "choose a k that does, or a smaller fractal",
        kernel, s.k, k0, isa::name_of(s.dtype), arch.fractal_bytes);
  }
  const auto whole_fractals = [&](std::uint64_t n, std::uint32_t most) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(isa::round_up(n, arch.fractal_rows), most));
  };
  MatmulTiling t{};
  t.base_m = whole_fractals(s.m, kMaxRows);
  t.base_n = whole_fractals(isa::ceil_div(s.n, cores), kMaxColumns);
  t.l0_slots = 2;
  t.l1_slots = 2;
  plan_k(t, arch, s);
  const std::uint64_t acc_bytes = std::uint64_t{t.base_m} * t.base_n * 4;
  t.acc_slots = 2 * acc_bytes <= arch.buffer(Space::L0C).capacity.count() ? 2 : 1;
  return t;
}

PlanFields tiling_fields(MatmulTiling& t, const MatmulShape& s, const isa::ArchSpec& arch, TileCuts cuts) {
  constexpr std::uint32_t kMostSlots = 4;  // of a ring; every slot takes flags
  const std::uint32_t fractal = arch.fractal_rows, k0 = arch.fractal_bytes / isa::size_of(s.dtype);
  const auto extent = [&](std::uint64_t n, std::uint32_t most) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(isa::round_up(n, fractal), most));
  };
  // The steps of a [k, n] slab start at rows, which extraction takes in whole fractals.
  const bool one_step = s.order == WeightOrder::KN && t.base_k % fractal != 0;
  const std::uint32_t steps = t.base_k == 0 ? 1 : s.k / t.base_k;
  PlanFields fields;
  if (cuts.rows) {
    fields.push_back({"base_m", "rows", "of a tile of C", &t.base_m, fractal, extent(s.m, kMaxRows), fractal});
  }
  if (cuts.columns) {
    fields.push_back({"base_n", "columns", "of a tile of C", &t.base_n, fractal, extent(s.n, kMaxColumns), fractal});
  }
  const std::uint32_t most_k = std::min(s.k, isa::kMaxMatmulExtent / k0 * k0);
  fields.push_back({"base_k", "elements", "of k in one product of the cube", &t.base_k, k0, most_k, k0, s.k});
  fields.push_back({"step_k", "products", "of a slab in L1", &t.step_k, 1, one_step ? 1 : steps, 1, steps});
  fields.push_back({"l1_slots", "buffers", "of slabs in L1", &t.l1_slots, 1, kMostSlots});
  fields.push_back({"l0_slots", "buffers", "of operands in L0A and L0B", &t.l0_slots, 1, kMostSlots});
  fields.push_back({"acc_slots", "buffers", "of C tiles in L0C", &t.acc_slots, 1, kMostSlots});
  return fields;
}

bool cut_tiling(MatmulTiling& t, const MatmulShape& s, const isa::ArchSpec& arch, const isa::CapacityError& error,
                TileCuts cuts) {
  const std::uint32_t k0 = arch.fractal_bytes / isa::size_of(s.dtype), fractal = arch.fractal_rows;
  const bool slab = error.exceeds(Space::L1), acc = error.exceeds(Space::L0C),
             operand = error.exceeds(Space::L0A) || error.exceeds(Space::L0B);
  if (!slab && !acc && !operand) return false;
  if (slab && t.step_k > 1) {
    t.step_k = largest_step(s.k / t.base_k, 1, t.step_k - 1);
    return true;
  }
  if ((slab || operand) && t.base_k > k0) {
    t.base_k = largest_step(s.k, k0, t.base_k - k0);
    t.step_k = 1;
    return true;
  }
  if (slab && t.l1_slots > 1) {
    t.l1_slots = 1;
  } else if (operand && t.l0_slots > 1) {
    t.l0_slots = 1;
  } else if (acc && t.acc_slots > 1) {
    t.acc_slots = 1;
  } else if (cuts.columns && t.base_n > fractal && (t.base_n >= t.base_m || !cuts.rows)) {
    if (!halve(t.base_n, fractal)) return false;
  } else if (!cuts.rows || !halve(t.base_m, fractal)) {
    return false;
  }
  plan_k(t, arch, s);
  return true;
}

std::uint32_t largest_slab(const isa::ArchSpec& arch, const MatmulShape& s, const MatmulTiling& t,
                           std::uint32_t limit) {
  // The steps of a [k, n] slab start at rows, which extraction takes in whole fractals.
  if (s.order == WeightOrder::KN && t.base_k % arch.fractal_rows != 0) return 1;
  return largest_step(s.k / t.base_k, 1, std::min(slab_k(arch, t, isa::size_of(s.dtype)), limit) / t.base_k);
}

CubeMatmul::CubeMatmul(isa::PartBuilder& part, const MatmulShape& shape, const MatmulTiling& t)
    : part_{part},
      shape_{shape},
      tiling_{t},
      l1_{part.ring(
          t.l1_slots, Pipe::MTE2, Pipe::MTE1,
          {{Space::L1, shape.dtype, t.base_m, t.slab_k(), Layout::NZ, "a_slab"},
           shape.order == WeightOrder::NK
               ? isa::PartBuilder::RingMember{Space::L1, shape.dtype, t.base_n, t.slab_k(), Layout::NZ, "b_slab"}
               : isa::PartBuilder::RingMember{Space::L1, shape.dtype, t.slab_k(), t.base_n, Layout::NZ, "b_slab"}})},
      l0_{part.ring(t.l0_slots, Pipe::MTE1, Pipe::M,
                    {{Space::L0A, shape.dtype, t.base_m, t.base_k, Layout::ZZ, "left"},
                     {Space::L0B, shape.dtype, t.base_k, t.base_n,
                      shape.order == WeightOrder::NK ? Layout::ZNt : Layout::ZN, "right"}})},
      acc_{part.ring(t.acc_slots, Pipe::M, Pipe::FIX,
                     {{Space::L0C, accumulator_of(shape.dtype), t.base_m, t.base_n, Layout::NZ, "acc"}})} {}

void CubeMatmul::tile(const GmTensor& a, const Value& row, const Value& a_col, const Value& rows, const GmTensor& b,
                      const Value& b_col, const Value& cols, const Store& store) {
  const auto load_b = [&](const Tile& slab, const Reg& k, std::uint32_t extent) {
    if (shape_.order == WeightOrder::NK) {
      part_.tload(slab.valid(cols, extent), b.at(b_col, k));  // (cols, extent) L1
    } else {
      part_.tload(slab.valid(extent, cols), b.at(k, b_col));  // (extent, cols) L1
    }
  };
  multiply(a, row, a_col, rows, cols, load_b, store);
}

void CubeMatmul::tile_pair(const GmTensor& a, const Value& row, const Value& rows, const GmTensor& b0,
                           const GmTensor& b1, const Value& b_row, const Store& store) {
  NPU_ASSERT(shape_.order == WeightOrder::NK && tiling_.base_n % (2 * part_.arch().fractal_rows) == 0,
             "halves of [n, k] weights in whole fractals");
  const std::uint32_t half = tiling_.base_n / 2;
  const auto load_b = [&](const Tile& slab, const Reg& k, std::uint32_t extent) {
    part_.tload(slab.view(0, 0, half, extent), b0.at(b_row, k));  // (half, extent) L1
    part_.tload(slab.view(half, 0, half, extent), b1.at(b_row, k));
  };
  multiply(a, row, 0, rows, tiling_.base_n, load_b, store);
}

void CubeMatmul::multiply(const GmTensor& a, const Value& row, const Value& a_col, const Value& rows, const Value& cols,
                          const LoadB& load_b, const Store& store) {
  const std::uint32_t slab_k = tiling_.slab_k(), rest = shape_.k % slab_k, whole = shape_.k - rest;
  acc_.produce();
  const Tile acc = acc_[0].valid(rows, cols);  // (rows, cols) L0C
  const auto slab = [&](const Reg& step, const Reg& k, std::uint32_t extent) {
    l1_.produce();
    {
      const Reg a_k = k + a_col;
      part_.tload(l1_[0].valid(rows, extent), a.at(row, a_k));  // (rows, extent) L1
    }
    load_b(l1_[1], k, extent);
    l1_.push();
    multiply_slab(step, extent, acc, rows, cols);
  };
  if (whole > 0) {
    part_.for_range(0, whole, slab_k, [&](const Reg& step) {
      if (!first_k_) return slab(step, step, slab_k);
      const Reg k = (step + *first_k_) % whole;
      slab(step, k, slab_k);
    });
  }
  if (rest > 0) {
    const Reg k = part_.imm(whole);
    slab(k, k, rest);
  }
  acc_.push();
  acc_.consume();
  store(acc);
  acc_.pop();
}

void CubeMatmul::multiply_slab(const Reg& step, std::uint32_t extent, const Tile& acc, const Value& rows,
                               const Value& cols) {
  const bool nk = shape_.order == WeightOrder::NK;
  l1_.consume();
  for (std::uint32_t k = 0; k < extent; k += tiling_.base_k) {
    const std::uint32_t base_k = std::min(tiling_.base_k, extent - k);
    l0_.produce();
    const Tile left = l0_[0].valid(rows, base_k);   // (rows, base_k) L0A
    const Tile right = l0_[1].valid(base_k, cols);  // (base_k, cols) L0B
    part_.textract(left, l1_[0], 0, k);
    part_.textract(right, l1_[1], nk ? 0U : k, nk ? k : 0U);
    l0_.push();
    l0_.consume();
    if (k == 0) {
      part_.tmatmul_step(step, acc, left, right);
    } else {
      part_.tmatmul_acc(acc, left, right);
    }
    l0_.pop();
  }
  l1_.pop();
}

}  // namespace npu::kernels
