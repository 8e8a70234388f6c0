// Body of the matmul_*.cpp files, included inside namespace npu::isa after
//   struct FloatLanes  a vector of floats: Vector, kLanes, load, store, broadcast, fma, canonical
//   struct IntLanes    a vector of as many 32-bit integers: Vector, load, store, broadcast_pair, add_products
// Everything here has internal linkage: code for one processor must never stand in for that of another.
//
// Register blocking: up to Operand::kRows rows by two vectors of columns of acc stay in registers over one block of k.
// The right operand is packed panel by panel (two vectors wide, all k of the block), the left one widened once for each
// block.
//
//        right  [k block][panel]  <- packed, L1 cache
//   left   x        |
//  [rows][k] ---> acc [rows][panel]  registers
namespace {

constexpr std::uint32_t kPanel = 2 * FloatLanes::kLanes;
constexpr std::uint32_t kBlock = 256;  // 32-bit units of k in a block: floats, or pairs of int16

// Transposes 8 lines of 8 units.
inline void transpose_8x8(const std::byte* src, std::size_t pitch, std::uint16_t* dst, std::size_t dst_stride) {
  using Units = std::uint16_t __attribute__((vector_size(16)));
  Units a[8], b[8];
  for (std::size_t i = 0; i < 8; ++i) std::memcpy(&a[i], src + i * pitch, sizeof(Units));
  for (std::size_t i = 0; i < 4; ++i) {
    b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    a[2 * i] = __builtin_shufflevector(b[i], b[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    a[2 * i + 1] = __builtin_shufflevector(b[i], b[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
  for (std::size_t i = 0; i < 8; ++i) std::memcpy(dst + i * dst_stride, &b[i], sizeof(Units));
}

// dst[u][j] = unit u of line j, for lines [0, columns) of `units` units; dst lines are kPanel units long.
template <class Unit>
void transpose_panel(const std::byte* src, std::size_t pitch, std::uint32_t columns, std::uint32_t units, Unit* dst) {
  std::uint32_t tiled_columns = 0, tiled_units = 0;
  if constexpr (sizeof(Unit) == 2) {
    tiled_columns = columns / 8 * 8;
    tiled_units = units / 8 * 8;
    for (std::uint32_t j = 0; j < tiled_columns; j += 8) {
      for (std::uint32_t u = 0; u < tiled_units; u += 8) {
        transpose_8x8(src + j * pitch + u * sizeof(Unit), pitch, dst + std::size_t{u} * kPanel + j, kPanel);
      }
    }
  }
  for (std::uint32_t j = 0; j < columns; ++j) {
    const std::byte* line = src + j * pitch;
    for (std::uint32_t u = j < tiled_columns ? tiled_units : 0; u < units; ++u) {
      std::memcpy(dst + std::size_t{u} * kPanel + j, line + u * sizeof(Unit), sizeof(Unit));
    }
  }
}

inline float widen(float x) { return x; }
inline float widen(Bf16 x) { return to_float(x); }
inline float widen(Fp16 x) { return to_float(x); }
template <class T>
void widen_line(const T* __restrict src, float* __restrict dst, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dst[i] = widen(src[i]);
}
inline void widen_line(const std::int8_t* __restrict src, std::int16_t* __restrict dst, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dst[i] = src[i];
}

// How operands of type T become 32-bit units: one float, or two int16.
template <class T>
struct Operand {
  using Wide = float;
  static constexpr std::uint32_t kPerUnit = 1;
  static constexpr std::uint32_t kRows = 6;  ///< 12 sums, 2 columns, 1 broadcast: of 16 registers

  /// Panel of the right operand: rows [k0, k0 + k), columns [j0, j0 + columns).
  static void pack(const TileView& right, std::uint32_t k0, std::uint32_t k, std::uint32_t j0, std::uint32_t columns,
                   float* panel, Scratch& narrow) {
    if (is_column_major(right.layout)) {
      const auto* lines = reinterpret_cast<const std::byte*>(right.line<T>(j0) + k0);
      if constexpr (sizeof(T) == 4) {
        transpose_panel(lines, right.pitch, columns, k, panel);
      } else {
        auto* units = narrow.get<std::uint16_t>(std::size_t{kBlock} * kPanel);
        if (columns < kPanel) std::memset(units, 0, std::size_t{k} * kPanel * sizeof(std::uint16_t));
        transpose_panel(lines, right.pitch, columns, k, units);
        widen_line(reinterpret_cast<const T*>(units), panel, std::size_t{k} * kPanel);
      }
      return;
    }
    for (std::uint32_t kk = 0; kk < k; ++kk) {
      const T* line = right.line<T>(k0 + kk) + j0;
      float* dst = panel + std::size_t{kk} * kPanel;
      columns == kPanel ? widen_line(line, dst, kPanel) : widen_line(line, dst, columns);
    }
  }
};

template <>
struct Operand<std::int8_t> {
  using Wide = std::int16_t;
  static constexpr std::uint32_t kPerUnit = 2;
  static constexpr std::uint32_t kRows = 4;  ///< the products need registers, too

  static void pack(const TileView& right, std::uint32_t k0, std::uint32_t k, std::uint32_t j0, std::uint32_t columns,
                   std::int16_t* panel, Scratch& narrow) {
    if (is_column_major(right.layout)) {
      const std::size_t size = std::size_t{(k + 1) / 2} * kPanel;
      auto* units = narrow.get<std::uint16_t>(std::size_t{kBlock} * kPanel);
      if (columns < kPanel) std::memset(units, 0, size * sizeof(std::uint16_t));
      const auto* lines = reinterpret_cast<const std::byte*>(right.line<std::int8_t>(j0) + k0);
      transpose_panel(lines, right.pitch, columns, k / 2, units);
      if (k % 2 != 0) {
        auto* last = reinterpret_cast<std::int8_t*>(units + size - kPanel);
        for (std::uint32_t j = 0; j < columns; ++j) {
          last[2 * j] = right.line<std::int8_t>(j0 + j)[k0 + k - 1];
          last[2 * j + 1] = 0;
        }
      }
      widen_line(reinterpret_cast<const std::int8_t*>(units), panel, 2 * size);
      return;
    }
    for (std::uint32_t kk = 0; kk < k; kk += 2) {
      const std::int8_t* even = right.line<std::int8_t>(k0 + kk) + j0;
      std::int16_t* dst = panel + std::size_t{kk} * kPanel;
      if (kk + 1 == k) {
        for (std::uint32_t j = 0; j < columns; ++j) {
          dst[2 * j] = even[j];
          dst[2 * j + 1] = 0;
        }
      } else {
        const std::int8_t* odd = right.line<std::int8_t>(k0 + kk + 1) + j0;
        columns == kPanel ? interleave(even, odd, dst, kPanel) : interleave(even, odd, dst, columns);
      }
    }
  }

 private:
  static void interleave(const std::int8_t* __restrict even, const std::int8_t* __restrict odd,
                         std::int16_t* __restrict dst, std::uint32_t n) {
    for (std::uint32_t j = 0; j < n; ++j) {
      dst[2 * j] = even[j];
      dst[2 * j + 1] = odd[j];
    }
  }
};

// acc[0, R)[0, kPanel) += left[0, R)[0, units) x panel[0, units)[kPanel).
template <std::uint32_t R>
void block(const float* left, std::size_t stride, const float* panel, std::uint32_t units, std::byte* acc,
           std::size_t pitch) {
  using V = FloatLanes::Vector;
  V sum[R][2];
  for (std::uint32_t i = 0; i < R; ++i) {
    const auto* line = reinterpret_cast<const float*>(acc + i * pitch);
    sum[i][0] = FloatLanes::load(line);
    sum[i][1] = FloatLanes::load(line + FloatLanes::kLanes);
  }
  for (std::uint32_t u = 0; u < units; ++u, panel += kPanel) {
    const V b0 = FloatLanes::load(panel);
    const V b1 = FloatLanes::load(panel + FloatLanes::kLanes);
#pragma GCC unroll 6
    for (std::uint32_t i = 0; i < R; ++i) {
      const V a = FloatLanes::broadcast(left[i * stride + u]);
      sum[i][0] = FloatLanes::fma(a, b0, sum[i][0]);
      sum[i][1] = FloatLanes::fma(a, b1, sum[i][1]);
    }
  }
  for (std::uint32_t i = 0; i < R; ++i) {
    auto* line = reinterpret_cast<float*>(acc + i * pitch);
    FloatLanes::store(line, FloatLanes::canonical(sum[i][0]));
    FloatLanes::store(line + FloatLanes::kLanes, FloatLanes::canonical(sum[i][1]));
  }
}

template <std::uint32_t R>
void block(const std::int16_t* left, std::size_t stride, const std::int16_t* panel, std::uint32_t units, std::byte* acc,
           std::size_t pitch) {
  using V = IntLanes::Vector;
  V sum[R][2];
  for (std::uint32_t i = 0; i < R; ++i) {
    const auto* line = reinterpret_cast<const std::int32_t*>(acc + i * pitch);
    sum[i][0] = IntLanes::load(line);
    sum[i][1] = IntLanes::load(line + FloatLanes::kLanes);
  }
  for (std::uint32_t u = 0; u < units; ++u, panel += 2 * kPanel) {
    const V b0 = IntLanes::load(reinterpret_cast<const std::int32_t*>(panel));
    const V b1 = IntLanes::load(reinterpret_cast<const std::int32_t*>(panel) + FloatLanes::kLanes);
#pragma GCC unroll 6
    for (std::uint32_t i = 0; i < R; ++i) {
      const V a = IntLanes::broadcast_pair(left + i * stride + 2 * u);
      sum[i][0] = IntLanes::add_products(a, b0, sum[i][0]);
      sum[i][1] = IntLanes::add_products(a, b1, sum[i][1]);
    }
  }
  for (std::uint32_t i = 0; i < R; ++i) {
    auto* line = reinterpret_cast<std::int32_t*>(acc + i * pitch);
    IntLanes::store(line, sum[i][0]);
    IntLanes::store(line + FloatLanes::kLanes, sum[i][1]);
  }
}

// Requires 1 <= rows <= R.
template <std::uint32_t R, class Wide>
void block_of(std::uint32_t rows, const Wide* left, std::size_t stride, const Wide* panel, std::uint32_t units,
              std::byte* acc, std::size_t pitch) {
  if constexpr (R > 1) {
    if (rows < R) return block_of<R - 1>(rows, left, stride, panel, units, acc, pitch);
  }
  block<R>(left, stride, panel, units, acc, pitch);
}

// All rows of one panel; columns < kPanel go through a full-width copy of the accumulator.
template <std::uint32_t MaxRows, class Wide>
void panel_of(const TileView& acc, std::uint32_t j0, std::uint32_t columns, const Wide* left, std::size_t stride,
              const Wide* panel, std::uint32_t units) {
  const std::uint32_t m = acc.rows;
  const std::uint32_t blocks = (m + MaxRows - 1) / MaxRows;
  for (std::uint32_t b = 0; b < blocks; ++b) {
    const std::uint32_t first = m * b / blocks;  // blocks of nearly equal height
    const std::uint32_t rows = m * (b + 1) / blocks - first;
    std::byte* target = acc.data + std::size_t{first} * acc.pitch + std::size_t{j0} * 4;
    const Wide* a = left + first * stride;
    if (columns == kPanel) {
      block_of<MaxRows>(rows, a, stride, panel, units, target, acc.pitch);
    } else {
      alignas(64) std::uint32_t copy[MaxRows][kPanel] = {};
      for (std::uint32_t i = 0; i < rows; ++i) std::memcpy(copy[i], target + std::size_t{i} * acc.pitch, columns * 4);
      block_of<MaxRows>(rows, a, stride, panel, units, reinterpret_cast<std::byte*>(copy), sizeof(copy[0]));
      for (std::uint32_t i = 0; i < rows; ++i) std::memcpy(target + std::size_t{i} * acc.pitch, copy[i], columns * 4);
    }
  }
}

template <class T>
void accumulate(const TileView& acc, const TileView& left, const TileView& right, MatmulScratch& scratch) {
  using Op = Operand<T>;
  using Wide = typename Op::Wide;
  constexpr std::uint32_t kDepth = kBlock * Op::kPerUnit;
  const std::uint32_t k = left.cols;
  Wide* panel = scratch.panel.get<Wide>(std::size_t{kDepth} * kPanel);
  std::memset(panel, 0, std::size_t{kDepth} * kPanel * sizeof(Wide));
  Wide* wide = scratch.left.get<Wide>(std::size_t{kDepth} * acc.rows);
  for (std::uint32_t k0 = 0; k0 < k; k0 += kDepth) {
    const std::uint32_t depth = k - k0 < kDepth ? k - k0 : kDepth;
    const std::uint32_t units = (depth + Op::kPerUnit - 1) / Op::kPerUnit;
    const std::size_t stride = std::size_t{units} * Op::kPerUnit;
    for (std::uint32_t i = 0; i < acc.rows; ++i) {
      widen_line(left.line<T>(i) + k0, wide + i * stride, depth);
      if (stride != depth) wide[i * stride + depth] = 0;
    }
    for (std::uint32_t j0 = 0; j0 < acc.cols; j0 += kPanel) {
      const std::uint32_t columns = acc.cols - j0 < kPanel ? acc.cols - j0 : kPanel;
      Op::pack(right, k0, depth, j0, columns, panel, scratch.narrow);
      panel_of<Op::kRows>(acc, j0, columns, wide, stride, panel, units);
    }
  }
}

constexpr MatmulKernels kKernels{&accumulate<float>, &accumulate<Bf16>, &accumulate<Fp16>, &accumulate<std::int8_t>};

}  // namespace
