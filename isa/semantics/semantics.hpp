// What each instruction computes on bytes: pure functions on views, no time, no machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "isa/program.hpp"

namespace npu::isa {

/// Valid region of a tile in its buffer. A line is a row, or a column for DN and ZNt; elements of a line are
/// contiguous.
struct TileView {
  std::byte* data = nullptr;
  std::uint32_t pitch = 0;  ///< bytes between lines
  std::uint32_t rows = 0, cols = 0;
  DType dtype = DType::F32;
  Layout layout = Layout::ND;

  [[nodiscard]] std::uint32_t lines() const { return is_column_major(layout) ? cols : rows; }
  [[nodiscard]] std::uint32_t line_length() const { return is_column_major(layout) ? rows : cols; }
  template <class T>
  [[nodiscard]] T* line(std::uint32_t i) const {
    return reinterpret_cast<T*>(data + static_cast<std::size_t>(i) * pitch);
  }
  template <class T>
  [[nodiscard]] T& at(std::uint32_t r, std::uint32_t c) const {
    return is_column_major(layout) ? line<T>(c)[r] : line<T>(r)[c];
  }
};

/// Lines of global memory that a mover touches; the bytes are known to exist.
struct GmView {
  std::byte* data = nullptr;
  std::int64_t pitch = 0;  ///< bytes between lines
  DType dtype = DType::F32;
  Layout layout = Layout::ND;  ///< ND: a line is a row of the tile; DN: a column
};

struct Operands {
  std::array<TileView, 3> t;  ///< by instruction field t0, t1, t2 (TMATMULBIAS: the bias tile is `bias`)
  TileView bias;
  TileView full;  ///< TFILLPAD: the whole tile, t[0] its valid part
  Pad pad = Pad::None;
  GmView gm;
  std::int64_t scalar = 0;        ///< register value, or the sign-extended immediate; fp32 bits for float tiles
  std::int64_t row = 0, col = 0;  ///< TEXTRACT origin
};

/// Executes a mover, cube or vector instruction. Throws ProgramError for what only the data can show (TGATHER index).
/// Operand shapes and dtypes have been checked (verifier, model).
void execute(const Instruction& ins, const Operands& operands);

}  // namespace npu::isa
