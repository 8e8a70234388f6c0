#include "model/timing/laws.hpp"

#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"
#include "isa/units.hpp"

namespace npu::model {
namespace {

using isa::Access;
using isa::ceil_div;
using isa::DType;
using isa::Opcode;

std::uint64_t cycles(double x) { return static_cast<std::uint64_t>(std::ceil(x)); }

/// Repeats of a vector instruction: 256-byte pieces, and a line that does not fill one still costs one.
std::uint64_t repeats(const CoreParams& p, const Access& t) {
  if (t.pitch == std::int64_t{t.line_bytes}) return ceil_div(t.bytes(), p.vec_repeat_bytes);
  return t.lines * ceil_div(t.line_bytes, p.vec_repeat_bytes);
}

std::uint32_t offset(const Access& a) { return static_cast<std::uint32_t>(a.begin); }

/// Bank groups from the first one that `a` touches up to the first one of `b`.
std::uint32_t groups_between(const CoreParams& p, const Access& a, const Access& b) {
  return (offset(b) / p.ub_bank_bytes + p.ub_bank_groups - offset(a) / p.ub_bank_bytes % p.ub_bank_groups) %
         p.ub_bank_groups;
}

/// In a repeat, the bank groups of both tiles overlap: each touches adjacent groups, one per row of a bank.
bool share_groups(const CoreParams& p, const Access& a, const Access& b) {
  const auto groups = [&](const Access& t) {
    return ceil_div(std::min(t.line_bytes, p.vec_repeat_bytes), p.ub_bank_bytes);
  };
  const std::uint32_t distance = groups_between(p, a, b);
  return distance < groups(a) || p.ub_bank_groups - distance < groups(b);
}

/// Two reads of a bank group take turns, unless they read the same.
bool read_conflict(const CoreParams& p, const Access& a, const Access& b) {
  return a.begin != b.begin && share_groups(p, a, b);
}

/// A read and a write of one bank take turns. Where both begin in the same group the hardware writes a repeat later,
/// and they never meet.
bool write_conflict(const CoreParams& p, const Access& source, const Access& dst) {
  const std::uint32_t bank_bytes = p.ub_bank_bytes * p.ub_bank_groups * p.ub_bank_rows;
  return offset(source) / bank_bytes == offset(dst) / bank_bytes && groups_between(p, source, dst) != 0 &&
         share_groups(p, source, dst);
}

struct VectorLaw {
  std::uint32_t fixed;
  double slope;  ///< cycles per repeat
  std::uint64_t repeats;
};

/// 32-bit rows of several repeats by group reductions, which make one value of each block of eight, and additions,
/// which halve what is too short for another group reduction; a barrier between two steps.
std::uint64_t group_reduction(const CoreParams& p, const VectorParams& v, const Access& a) {
  constexpr std::uint64_t kGroup = 8, kValue = 4;
  const auto repeats_of = [&](std::uint64_t values) { return ceil_div(a.lines * values * kValue, p.vec_repeat_bytes); };
  std::uint64_t values = a.line_bytes / kValue, total = 0;
  bool first = true;
  while (values > 1) {
    if (!first) total += v.result_cycles;
    const bool group = values <= kGroup || values * kValue >= p.vec_repeat_bytes;
    const std::uint64_t left = group ? ceil_div(values, kGroup) : ceil_div(values, std::uint64_t{2});
    const std::uint64_t steps =
        first ? a.lines * ceil_div(std::uint64_t{a.line_bytes}, p.vec_repeat_bytes) : repeats_of(group ? values : left);
    total += (group ? v.group_fixed : v.simple_fixed) + cycles(v.simple_slope * static_cast<double>(steps));
    values = left;
    first = false;
  }
  return total;
}

/// Rows of one repeat are reduced at once; longer ones are added up to one repeat first, or reduced by groups.
VectorLaw row_reduction(const CoreParams& p, const VectorParams& v, const Access& a) {
  const std::uint64_t rows = a.lines, per_row = ceil_div(std::uint64_t{a.line_bytes}, p.vec_repeat_bytes);
  if (per_row <= 1) return {v.reduce_fixed, v.reduce_slope, rows};
  const std::uint64_t addition = v.simple_fixed + v.result_cycles + cycles(v.simple_slope * static_cast<double>(rows));
  const std::uint64_t folded =
      (per_row - 1) * addition + v.reduce_fixed + cycles(v.reduce_slope * static_cast<double>(rows));
  const bool wide = isa::size_of(a.dtype) == 4;
  const std::uint64_t total = wide ? std::min(folded, group_reduction(p, v, a)) : folded;
  return {static_cast<std::uint32_t>(total), 0, 0};
}

VectorLaw vector_law(const CoreParams& p, const VectorParams& v, Opcode op, const Access& dst, const Access& a) {
  const bool half = isa::size_of(a.dtype) == 2;
  const auto wider = [&] { return std::max(repeats(p, dst), repeats(p, a)); };
  switch (op) {
    case Opcode::TAdd:
    case Opcode::TSub:
    case Opcode::TMul:
    case Opcode::TMax:
    case Opcode::TMin:
    case Opcode::TAddS:
    case Opcode::TMulS:
    case Opcode::TMaxS:
    case Opcode::TMinS:
    case Opcode::TAbs:
    case Opcode::TNeg:
    case Opcode::TCopy:
    case Opcode::TMov:
    case Opcode::TRsqrt:
    case Opcode::TRecip:
    case Opcode::TFillPad:
    case Opcode::TExpandS:
    case Opcode::TCi:
    case Opcode::TRowExpandAdd:
    case Opcode::TRowExpandSub:
    case Opcode::TRowExpandMul:
    case Opcode::TRowExpand:
    case Opcode::TColExpand:
    case Opcode::TColExpandAdd:
    case Opcode::TColExpandMul:
      return {v.simple_fixed, v.simple_slope, repeats(p, dst)};
    case Opcode::TDiv:
    case Opcode::TDivS:
    case Opcode::TSDiv:
    case Opcode::TRowExpandDiv:
    case Opcode::TExp:
    case Opcode::TLog:
    case Opcode::TSqrt:
      return {v.special_fixed, half ? v.special_slope_16bit : v.special_slope, repeats(p, dst)};
    case Opcode::TCvt:
      return {v.simple_fixed, v.simple_slope, wider()};
    case Opcode::TRowSum:
    case Opcode::TRowMax:
    case Opcode::TRowMin:
      return row_reduction(p, v, a);
    case Opcode::TColSum:
    case Opcode::TColMax:
    case Opcode::TColMin:
      return {v.simple_fixed, v.simple_slope, repeats(p, a)};
    case Opcode::TTrans:
      return {v.simple_fixed, v.transpose_slope, repeats(p, a)};
    case Opcode::TGather:
      return {v.simple_fixed, v.gather_slope, repeats(p, dst)};
    case Opcode::TGatherMask:
      return {v.simple_fixed, v.gather_mask_slope, repeats(p, a)};
    case Opcode::TSort32:
      return {v.simple_fixed, v.sort_slope, ceil_div(a.bytes(), 32 * isa::size_of(a.dtype))};
    case Opcode::TMrgSort:
      return {v.simple_fixed, v.merge_slope, ceil_div(a.bytes(), 8)};
    default:
      NPU_ASSERT(false, "not a vector instruction");
      return {};
  }
}

}  // namespace

Cost matmul_cost(const CoreParams& p, const isa::ArchSpec& arch, DType operand, std::uint32_t m, std::uint32_t k,
                 std::uint32_t n) {
  const std::uint32_t k_per_cycle = operand == DType::I8    ? p.cube_k_8bit
                                    : operand == DType::F32 ? p.cube_k_f32
                                                            : p.cube_k_16bit;
  const std::uint32_t k0 = arch.fractal_bytes / isa::size_of(operand);
  const std::uint64_t passes = ceil_div(k0, k_per_cycle);
  const std::uint64_t fractals = ceil_div(m, arch.fractal_rows) * ceil_div(k, k0) * ceil_div(n, arch.fractal_rows);
  return {p.cube_overhead_cycles + fractals * passes, p.cube_result_cycles};
}

Cost mte1_cost(const CoreParams& p, isa::Place destination, std::uint64_t bytes, bool mte2_busy) {
  const double width = destination == isa::Place::L0A   ? p.mte1_l0a_bytes_per_cycle
                       : destination == isa::Place::L0B ? p.mte1_l0b_bytes_per_cycle
                                                        : p.mte1_bt_bytes_per_cycle;
  const double time =
      (p.mte1_startup_cycles + static_cast<double>(bytes) / width) * (mte2_busy ? p.mte1_contention_factor : 1.0);
  return {cycles(time), 0};
}

Cost fix_l1_cost(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes) {
  return {p.fix_startup_cycles + cycles(std::max(static_cast<double>(accumulator_bytes) / p.fix_l0c_bytes_per_cycle,
                                                 static_cast<double>(output_bytes) / p.fix_l1_bytes_per_cycle)),
          0};
}

Cost vector_cost(const CoreParams& p, const VectorParams& v, Opcode op, const Access& dst, const Access& a,
                 const Access* b) {
  const VectorLaw law = vector_law(p, v, op, dst, a);
  const bool reads_meet = b != nullptr && read_conflict(p, a, *b);
  const bool write_meets = write_conflict(p, a, dst) || (b != nullptr && write_conflict(p, *b, dst));
  const double conflict =
      std::max(reads_meet ? v.read_conflict_factor : 1.0, write_meets ? v.write_conflict_factor : 1.0);
  return {law.fixed + cycles(law.slope * static_cast<double>(law.repeats) * conflict), v.result_cycles};
}

Cost cost_of(const isa::Operation& op, const Machine& machine, bool mte2_busy) {
  const CoreParams& p = machine.params.core;
  const Access &first = op.accesses[0], &second = op.accesses[1], &third = op.accesses[2];
  switch (op.pipe) {
    case isa::Pipe::M:
      return matmul_cost(p, machine.arch, second.dtype, second.rows(), second.cols(), third.cols());
    case isa::Pipe::MTE1:
      return mte1_cost(p, first.place, first.bytes(), mte2_busy);
    case isa::Pipe::FIX:
      return op.opcode == Opcode::TMov ? fix_l1_cost(p, second.bytes(), first.bytes()) : Cost{1, 0};
    case isa::Pipe::V: {
      const bool has_source = op.count > 1 && op.opcode != Opcode::TFillPad;
      return vector_cost(p, machine.params.vector, op.opcode, first, has_source ? second : first,
                         op.count > 2 ? &third : nullptr);
    }
    case isa::Pipe::S:
    case isa::Pipe::MTE2:
    case isa::Pipe::MTE3:
      return {1, 0};  // a transfer of nothing
  }
  NPU_ASSERT(false, "pipe without a cost");
  return {};
}

}  // namespace npu::model
