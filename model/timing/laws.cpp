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

/// Both sources start in the same bank group: their reads take turns.
bool read_conflict(const CoreParams& p, const Access& a, const Access& b) {
  const auto group = [&](const Access& t) {
    return static_cast<std::uint32_t>(t.begin) / p.ub_bank_bytes % p.ub_bank_groups;
  };
  return group(a) == group(b) && a.begin != b.begin;
}

struct VectorLaw {
  std::uint32_t fixed;
  double slope;  ///< cycles per repeat
  std::uint64_t repeats;
};

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
      return {v.reduce_fixed, v.reduce_slope, repeats(p, a)};
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
  const double conflict = b != nullptr && read_conflict(p, a, *b) ? v.read_conflict_factor : 1.0;
  return {law.fixed + cycles(law.slope * static_cast<double>(law.repeats) * conflict), v.result_cycles};
}

double mte2_misaligned_factor(const CoreParams& p, isa::Place destination, std::uint32_t lines,
                              std::uint32_t line_bytes, std::int64_t gm_pitch) {
  const bool one_piece = lines <= 1 || (destination == isa::Place::UB && gm_pitch == line_bytes);
  if (one_piece || gm_pitch % p.mte2_align_bytes == 0) return 1.0;
  return destination == isa::Place::L1 ? p.mte2_misaligned_l1_factor : p.mte2_misaligned_ub_factor;
}

double mte2_port_cycles(const CoreParams& p, isa::Place destination, std::uint32_t lines, std::uint32_t line_bytes,
                        std::int64_t gm_pitch) {
  const bool to_l1 = destination == isa::Place::L1;
  const bool contiguous = gm_pitch == line_bytes;
  const double rows = !to_l1 && contiguous ? 1.0 : static_cast<double>(lines);
  const double row_bytes = !to_l1 && contiguous ? static_cast<double>(lines) * line_bytes : line_bytes;
  const double per_row = to_l1
                             ? p.mte2_row_cycles + row_bytes / p.mte2_l1_bytes_per_cycle
                             : std::max(row_bytes / p.mte2_ub_bytes_per_cycle, static_cast<double>(p.mte2_row_cycles));
  return p.mte2_issue_gap_cycles + rows * per_row * mte2_misaligned_factor(p, destination, lines, line_bytes, gm_pitch);
}

double mte3_port_cycles(const CoreParams& p, std::uint64_t bytes) {
  return std::max(1.0, static_cast<double>(bytes) / p.mte3_bytes_per_cycle);
}

double fix_port_cycles(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes) {
  return p.fix_startup_cycles + std::max(static_cast<double>(accumulator_bytes) / p.fix_l0c_bytes_per_cycle,
                                         static_cast<double>(output_bytes) / p.fix_gm_bytes_per_cycle);
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

double port_cycles(const isa::Operation& op, const CoreParams& p) {
  const Access &tile = op.accesses[0], &gm = op.accesses[1];
  if (op.opcode == Opcode::TLoad) return mte2_port_cycles(p, tile.place, gm.lines, gm.line_bytes, gm.pitch);
  return op.pipe == isa::Pipe::FIX ? fix_port_cycles(p, tile.bytes(), gm.bytes()) : mte3_port_cycles(p, gm.bytes());
}

}  // namespace npu::model
