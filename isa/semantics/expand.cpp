// TROWEXPAND*, TCOLEXPAND*: a tile with one value per row, or per column. Seen along the lines of the destination this
// is one value per line, or one line of values.
#include "isa/instructions/instruction_table.hpp"
#include "isa/semantics/lines.hpp"
#include "isa/semantics/matmul_kernels.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

template <class T, class Op>
struct PerLine {
  NPU_INLINE static void run(T* dst, const T* a, T s, std::size_t n) {
    const Compute<T> value = widened(s);
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<T>(Op::apply(widened(a[i]), value));
  }
};
template <class T, class Op>
struct PerPosition {
  NPU_INLINE static void run(T* dst, const T* a, const T* v, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) dst[i] = narrowed<T>(Op::apply(widened(a[i]), widened(v[i])));
  }
};

// The broadcast values as one array: values[i] belongs to row (column) i.
template <class T>
const T* gather_values(const TileView& source, bool of_rows) {
  thread_local Scratch scratch;
  const std::uint32_t n = of_rows ? source.rows : source.cols;
  T* values = scratch.get<T>(n);
  for (std::uint32_t i = 0; i < n; ++i) values[i] = of_rows ? source.at<T>(i, 0) : source.at<T>(0, i);
  return values;
}

template <class T, class Op>
void expand_with(const Operands& o, bool of_rows) {
  const auto& [dst, a, source] = o.t;
  const T* values = gather_values<T>(source, of_rows);
  const bool per_line = of_rows != is_column_major(dst.layout);
  const std::size_t n = dst.line_length();
  for (std::uint32_t i = 0; i < dst.lines(); ++i) {
    if (per_line) {
      Cloned<PerLine<T, Op>>::call(dst.line<T>(i), a.line<const T>(i), values[i], n);
    } else {
      Cloned<PerPosition<T, Op>>::call(dst.line<T>(i), a.line<const T>(i), values, n);
    }
  }
}

template <class T>
void expand(const Operands& o, bool of_rows) {
  const auto& [dst, source, unused] = o.t;
  const T* values = gather_values<T>(source, of_rows);
  const bool per_line = of_rows != is_column_major(dst.layout);
  for (std::uint32_t i = 0; i < dst.lines(); ++i) {
    T* line = dst.line<T>(i);
    for (std::uint32_t j = 0; j < dst.line_length(); ++j) line[j] = values[per_line ? i : j];
  }
}

}  // namespace

void execute_expand(const Instruction& ins, const Operands& o) {
  const std::string_view name = op_info(ins.opcode).mnemonic;
  const DType type = o.t[1].dtype;
  const auto arithmetic = [&](auto&& f) { with_arithmetic_type(name, type, f); };
  switch (ins.opcode) {
    case Opcode::TRowExpand:
      return with_storage_type(type, [&]<class T>(Type<T>) { expand<T>(o, true); });
    case Opcode::TColExpand:
      return with_storage_type(type, [&]<class T>(Type<T>) { expand<T>(o, false); });
    case Opcode::TRowExpandAdd:
      return arithmetic([&]<class T>(Type<T>) { expand_with<T, AddOp>(o, true); });
    case Opcode::TRowExpandSub:
      return arithmetic([&]<class T>(Type<T>) { expand_with<T, SubOp>(o, true); });
    case Opcode::TRowExpandMul:
      return arithmetic([&]<class T>(Type<T>) { expand_with<T, MulOp>(o, true); });
    case Opcode::TRowExpandDiv:
      return with_float_type(name, type, [&]<class T>(Type<T>) { expand_with<T, DivOp>(o, true); });
    case Opcode::TColExpandAdd:
      return arithmetic([&]<class T>(Type<T>) { expand_with<T, AddOp>(o, false); });
    case Opcode::TColExpandMul:
      return arithmetic([&]<class T>(Type<T>) { expand_with<T, MulOp>(o, false); });
    default:
      NPU_ASSERT(false, "not a broadcast");
  }
}

}  // namespace npu::isa
