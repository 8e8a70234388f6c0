// TLOAD, TSTORE, TMOV, TEXTRACT. Data keeps its bits, except that an accumulator may be narrowed to a 16-bit float
// (nearest even) and that an atomic store adds.
#include "isa/semantics/lines.hpp"
#include "isa/semantics/matmul_kernels.hpp"
#include "isa/semantics/operations.hpp"
#include "isa/semantics/strided_copy.hpp"

namespace npu::isa {
namespace {

struct NarrowToBf16 {
  NPU_INLINE static void run(const float* src, std::uint16_t* dst, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = bf16_bits<RoundMode::Rint>(src[i]);
  }
};
struct NarrowToFp16 {
  NPU_INLINE static void run(const float* src, std::uint16_t* dst, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = fp16_bits<RoundMode::Rint>(src[i]);
  }
};

// dst line i = src line i in dst_type; the accumulator's f32 narrows, everything else keeps its type.
void convert_lines(const Lines& dst, DType dst_type, const TileView& src) {
  const std::size_t n = src.line_length();
  if (dst_type == src.dtype) {
    copy_lines(dst, lines_of(src), src.lines(), n * size_of(dst_type));
    return;
  }
  const bool to_bf16 = dst_type == DType::BF16;
  if (src.dtype != DType::F32 || (!to_bf16 && dst_type != DType::F16)) {
    throw program_error("a mover does not turn {} into {}: only f32 accumulators narrow, to f16 or bf16; use tcvt",
                        name_of(src.dtype), name_of(dst_type));
  }
  for (std::uint32_t i = 0; i < src.lines(); ++i) {
    auto* to = reinterpret_cast<std::uint16_t*>(dst.line(i));
    to_bf16 ? Cloned<NarrowToBf16>::call(src.line<const float>(i), to, n)
            : Cloned<NarrowToFp16>::call(src.line<const float>(i), to, n);
  }
}

Lines lines_of(const GmView& gm) { return {gm.data, gm.pitch}; }

void load(const TileView& tile, const GmView& gm) {
  if (tile.dtype != gm.dtype) {
    throw program_error("tload: tile of {}, global memory of {}: the types must agree", name_of(tile.dtype),
                        name_of(gm.dtype));
  }
  if (is_column_major(gm.layout) == is_column_major(tile.layout)) {
    copy_lines(lines_of(tile), lines_of(gm), tile.lines(), std::size_t{tile.line_length()} * size_of(tile.dtype));
  } else {
    transpose_lines(lines_of(tile), lines_of(gm), tile.line_length(), tile.lines(), size_of(tile.dtype));
  }
}

template <class T>
void add_lines(const Lines& dst, const Lines& src, std::uint32_t lines, std::uint32_t n) {
  for (std::uint32_t i = 0; i < lines; ++i) {
    auto* to = reinterpret_cast<T*>(dst.line(i));
    const auto* from = reinterpret_cast<const T*>(src.line(i));
    for (std::uint32_t j = 0; j < n; ++j) {
      if constexpr (std::is_integral_v<T>) {
        to[j] = static_cast<T>(static_cast<std::uint64_t>(to[j]) + static_cast<std::uint64_t>(from[j]));
      } else {
        to[j] = narrowed<T>(widened(to[j]) + widened(from[j]));
      }
    }
  }
}

void add_lines_of(DType type, const Lines& dst, const Lines& src, std::uint32_t lines, std::uint32_t n) {
  switch (type) {
    case DType::I8:
    case DType::U8:
      return add_lines<std::uint8_t>(dst, src, lines, n);
    case DType::I16:
      return add_lines<std::int16_t>(dst, src, lines, n);
    case DType::I32:
      return add_lines<std::int32_t>(dst, src, lines, n);
    case DType::I64:
      return add_lines<std::int64_t>(dst, src, lines, n);
    case DType::F16:
      return add_lines<Fp16>(dst, src, lines, n);
    case DType::BF16:
      return add_lines<Bf16>(dst, src, lines, n);
    case DType::F32:
      return add_lines<float>(dst, src, lines, n);
  }
}

void store(const TileView& tile, const GmView& gm, bool atomic_add) {
  const bool same_orientation = is_column_major(gm.layout) == is_column_major(tile.layout);
  if (same_orientation && !atomic_add) {
    convert_lines(lines_of(gm), gm.dtype, tile);
    return;
  }
  // What leaves the tile, in the type and then in the orientation of global memory.
  thread_local Scratch converted, turned;
  const std::uint32_t size = size_of(gm.dtype);
  const std::size_t bytes = std::size_t{tile.rows} * tile.cols * size;
  Lines image{converted.get<std::byte>(bytes), std::int64_t{tile.line_length()} * size};
  convert_lines(image, gm.dtype, tile);
  std::uint32_t lines = tile.lines();
  std::uint32_t length = tile.line_length();
  if (!same_orientation) {
    const Lines result{turned.get<std::byte>(bytes), std::int64_t{lines} * size};
    transpose_lines(result, image, lines, length, size);
    image = result;
    std::swap(lines, length);
  }
  if (atomic_add) {
    add_lines_of(gm.dtype, lines_of(gm), image, lines, length);
  } else {
    copy_lines(lines_of(gm), image, lines, std::size_t{length} * size);
  }
}

// Source coordinates count lines and elements of the row-major L1 tile: dst line i = src line row + i from col. For a
// right operand read from [n, k] (ZNt) the lines of dst are its n columns, so the copy is the same.
void extract(const TileView& dst, const TileView& src, std::int64_t row, std::int64_t col) {
  const std::int64_t lines = dst.lines();
  const std::int64_t length = dst.line_length();
  if (row < 0 || col < 0 || row + lines > src.rows || col + length > src.cols) {
    throw program_error("textract: {} x {} elements at ({}, {}) leave the source tile of {} x {}", lines, length, row,
                        col, src.rows, src.cols);
  }
  const std::uint32_t size = size_of(src.dtype);
  const Lines from{src.line<std::byte>(static_cast<std::uint32_t>(row)) + col * size, src.pitch};
  copy_lines(lines_of(dst), from, dst.lines(), static_cast<std::size_t>(length) * size);
}

}  // namespace

void execute_mover(const Instruction& ins, const Operands& operands) {
  const TileView& tile = operands.t[0];
  if (ins.opcode == Opcode::TLoad) return load(tile, operands.gm);
  if (ins.opcode == Opcode::TStore) return store(tile, operands.gm, ins.mode != 0);
  if (ins.opcode == Opcode::TExtract) return extract(tile, operands.t[1], operands.row, operands.col);
  convert_lines(lines_of(tile), tile.dtype, operands.t[1]);
}

}  // namespace npu::isa
