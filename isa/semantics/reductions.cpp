// TROWSUM/MAX/MIN to [rows, 1] and TCOLSUM/MAX/MIN to [1, cols], in a fixed order.
//
// Rows: 16 partial results that start at 0 (sum) or the identity; column c goes to partial c mod 16, ascending; then
// the tree p[i] op p[i + 8], p[i] op p[i + 4], p[i] op p[i + 2], p[i] op p[i + 1].
// Columns: row 0, then row after row. fp16 is accumulated in fp32 and rounded once, at the end.
#include <algorithm>
#include <limits>

#include "isa/instructions/instruction_table.hpp"
#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

constexpr std::size_t kPartials = 16;

template <class Op, class C>
constexpr C identity() {
  if constexpr (std::is_same_v<Op, AddOp>) {
    return C{0};
  } else if constexpr (std::is_same_v<Op, MaxOp>) {
    return std::is_same_v<C, float> ? -std::numeric_limits<C>::infinity() : std::numeric_limits<C>::min();
  } else {
    static_assert(std::is_same_v<Op, MinOp>);
    return std::is_same_v<C, float> ? std::numeric_limits<C>::infinity() : std::numeric_limits<C>::max();
  }
}

template <class T, class Op>
struct RowLine {
  using C = Compute<T>;
  NPU_INLINE static void run(const T* src, T* dst, std::size_t n) {
    C partial[kPartials];
    for (std::size_t p = 0; p < kPartials; ++p) partial[p] = identity<Op, C>();
    std::size_t c = 0;
    for (; c + kPartials <= n; c += kPartials) {
      for (std::size_t p = 0; p < kPartials; ++p) partial[p] = Op::apply(partial[p], widened(src[c + p]));
    }
    for (std::size_t p = 0; c < n; ++p, ++c) partial[p] = Op::apply(partial[p], widened(src[c]));
    for (std::size_t half = kPartials / 2; half > 0; half /= 2) {
      for (std::size_t p = 0; p < half; ++p) partial[p] = Op::apply(partial[p], partial[p + half]);
    }
    *dst = narrowed<T>(partial[0]);
  }
};

template <class T, class Op>
struct ColumnLine {
  using C = Compute<T>;
  NPU_INLINE static void run(C* sum, const T* src, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) sum[i] = Op::apply(sum[i], widened(src[i]));
  }
};

// Results of the positions of a line, combined over the lines in order: dst(position) = line 0 op line 1 op ...
template <class T, class Op, class Store>
void across_lines(const TileView& src, Store&& store) {
  using C = Compute<T>;
  constexpr std::uint32_t kChunk = 256;
  for (std::uint32_t j = 0; j < src.line_length(); j += kChunk) {
    alignas(64) C sum[kChunk];
    const std::uint32_t n = std::min(kChunk, src.line_length() - j);
    const T* first = src.line<const T>(0) + j;
    for (std::uint32_t i = 0; i < n; ++i) sum[i] = widened(first[i]);
    for (std::uint32_t l = 1; l < src.lines(); ++l) {
      Cloned<ColumnLine<T, Op>>::call(&sum[0], src.line<const T>(l) + j, std::size_t{n});
    }
    for (std::uint32_t i = 0; i < n; ++i) store(j + i, narrowed<T>(sum[i]));
  }
}

template <class T, class Op>
void reduce_rows(const Operands& o) {
  const auto& [dst, src, unused] = o.t;
  if (!is_column_major(src.layout)) {
    for (std::uint32_t r = 0; r < src.rows; ++r) {
      Cloned<RowLine<T, Op>>::call(src.line<const T>(r), &dst.at<T>(r, 0), std::size_t{src.cols});
    }
    return;
  }
  std::vector<T> row(src.cols);
  for (std::uint32_t r = 0; r < src.rows; ++r) {
    for (std::uint32_t c = 0; c < src.cols; ++c) row[c] = src.at<T>(r, c);
    RowLine<T, Op>::run(row.data(), &dst.at<T>(r, 0), row.size());
  }
}

template <class T, class Op>
void reduce_columns(const Operands& o) {
  const auto& [dst, src, unused] = o.t;
  if (src.rows == 0) return;
  if (!is_column_major(src.layout)) {
    across_lines<T, Op>(src, [&](std::uint32_t c, T value) { dst.at<T>(0, c) = value; });
    return;
  }
  for (std::uint32_t c = 0; c < src.cols; ++c) {
    Compute<T> sum = widened(src.at<T>(0, c));
    for (std::uint32_t r = 1; r < src.rows; ++r) sum = Op::apply(sum, widened(src.at<T>(r, c)));
    dst.at<T>(0, c) = narrowed<T>(sum);
  }
}

}  // namespace

void execute_reduction(const Instruction& ins, const Operands& o) {
  const auto typed = [&](auto&& f) { with_arithmetic_type(op_info(ins.opcode).mnemonic, o.t[1].dtype, f); };
  switch (ins.opcode) {
    case Opcode::TRowSum:
      return typed([&]<class T>(Type<T>) { reduce_rows<T, AddOp>(o); });
    case Opcode::TRowMax:
      return typed([&]<class T>(Type<T>) { reduce_rows<T, MaxOp>(o); });
    case Opcode::TRowMin:
      return typed([&]<class T>(Type<T>) { reduce_rows<T, MinOp>(o); });
    case Opcode::TColSum:
      return typed([&]<class T>(Type<T>) { reduce_columns<T, AddOp>(o); });
    case Opcode::TColMax:
      return typed([&]<class T>(Type<T>) { reduce_columns<T, MaxOp>(o); });
    case Opcode::TColMin:
      return typed([&]<class T>(Type<T>) { reduce_columns<T, MinOp>(o); });
    default:
      NPU_ASSERT(false, "not a reduction");
  }
}

}  // namespace npu::isa
