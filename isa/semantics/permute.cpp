// TTRANS, TGATHER, TGATHERMASK: elements move, their bits stay.
#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"
#include "isa/semantics/strided_copy.hpp"

namespace npu::isa {
namespace {

// dst[c][r] = src[r][c]. Tiles of opposite orientation hold the two images byte for byte alike.
void transpose_tile(const TileView& dst, const TileView& src) {
  const std::uint32_t size = size_of(src.dtype);
  if (is_column_major(dst.layout) == is_column_major(src.layout)) {
    transpose_lines(lines_of(dst), lines_of(src), src.lines(), src.line_length(), size);
  } else {
    copy_lines(lines_of(dst), lines_of(src), src.lines(), std::size_t{src.line_length()} * size);
  }
}

template <class T>
void gather(const TileView& dst, const TileView& src, const TileView& index) {
  for (std::uint32_t r = 0; r < dst.rows; ++r) {
    for (std::uint32_t c = 0; c < dst.cols; ++c) {
      const std::int32_t i = index.at<std::int32_t>(r, c);
      if (i < 0 || static_cast<std::uint32_t>(i) >= src.cols) {
        throw program_error("tgather: index {} at row {}, column {} is outside the source row of {} columns", i, r, c,
                            src.cols);
      }
      dst.at<T>(r, c) = src.at<T>(r, static_cast<std::uint32_t>(i));
    }
  }
}

template <class T>
void gather_mask(const TileView& dst, const TileView& src, std::uint32_t first, std::uint32_t step) {
  for (std::uint32_t r = 0; r < dst.rows; ++r) {
    for (std::uint32_t c = 0; c < dst.cols; ++c) dst.at<T>(r, c) = src.at<T>(r, first + c * step);
  }
}

void gather_by_pattern(std::uint8_t pattern, const TileView& dst, const TileView& src) {
  if (pattern > 5) throw program_error("tgathermask: pattern {} does not exist (0 to 5 do)", pattern);
  const std::uint32_t step = pattern < 2 ? 2 : 4;
  const std::uint32_t first = pattern < 2 ? pattern : pattern - 2U;
  if (dst.cols != 0 && first + (dst.cols - 1) * step >= src.cols) {
    throw program_error("tgathermask: {} columns by pattern {} need more than the {} columns of the source", dst.cols,
                        pattern, src.cols);
  }
  with_storage_type(src.dtype, [&]<class T>(Type<T>) { gather_mask<T>(dst, src, first, step); });
}

}  // namespace

void execute_permute(const Instruction& ins, const Operands& o) {
  switch (ins.opcode) {
    case Opcode::TTrans:
      return transpose_tile(o.t[0], o.t[1]);
    case Opcode::TGather:
      return with_storage_type(o.t[1].dtype, [&]<class T>(Type<T>) { gather<T>(o.t[0], o.t[1], o.t[2]); });
    case Opcode::TGatherMask:
      return gather_by_pattern(ins.mode, o.t[0], o.t[1]);
    default:
      NPU_ASSERT(false, "not a permutation");
  }
}

}  // namespace npu::isa
