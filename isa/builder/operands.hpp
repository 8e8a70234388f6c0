// Operands of the kernel builder: registers as values, tiles, views of global memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "isa/program.hpp"

namespace npu::isa {

class PartBuilder;

/// A scalar register, owned: it returns to the pool when the handle dies. Arithmetic on handles emits instructions.
class Reg {
 public:
  Reg(PartBuilder& part, std::uint8_t index) : part_{&part}, index_{index} {}
  Reg(Reg&& o) noexcept : part_{std::exchange(o.part_, nullptr)}, index_{o.index_} {}
  Reg& operator=(Reg&&) = delete;  // an assignment would hide an instruction: use set()
  Reg(const Reg&) = delete;
  Reg& operator=(const Reg&) = delete;
  ~Reg();

  [[nodiscard]] std::uint8_t index() const { return index_; }
  [[nodiscard]] PartBuilder& part() const { return *part_; }

  void set(const Reg& value);
  void set(std::int64_t value);
  void operator+=(const Reg& value);
  void operator+=(std::int64_t value);

 private:
  PartBuilder* part_;
  std::uint8_t index_;
};

/// A register or a constant.
class Value {
 public:
  Value(const Reg& reg) : reg_{&reg} {}  // NOLINT(google-explicit-constructor): reads like the expression
  Value(std::int64_t imm) : imm_{imm} {}
  Value(std::uint32_t imm) : imm_{imm} {}
  Value(int imm) : imm_{imm} {}
  [[nodiscard]] const Reg* reg() const { return reg_; }
  [[nodiscard]] std::int64_t imm() const { return imm_; }
  [[nodiscard]] bool is(std::int64_t constant) const { return reg_ == nullptr && imm_ == constant; }

 private:
  const Reg* reg_ = nullptr;
  std::int64_t imm_ = 0;
};

[[nodiscard]] Reg operator+(const Reg& a, const Value& b);
[[nodiscard]] Reg operator-(const Reg& a, const Value& b);
[[nodiscard]] Reg operator*(const Reg& a, const Value& b);
[[nodiscard]] Reg operator/(const Reg& a, const Value& b);
[[nodiscard]] Reg operator%(const Reg& a, const Value& b);
[[nodiscard]] Reg min(const Reg& a, const Value& b);
[[nodiscard]] Reg max(const Reg& a, const Value& b);

/// a cmp b, for if_ and while_.
struct Condition {
  CompareMode mode;
  const Reg& a;
  Value b;
};
[[nodiscard]] inline Condition operator<(const Reg& a, const Value& b) { return {CompareMode::Lt, a, b}; }
[[nodiscard]] inline Condition operator<=(const Reg& a, const Value& b) { return {CompareMode::Le, a, b}; }
[[nodiscard]] inline Condition operator>(const Reg& a, const Value& b) { return {CompareMode::Gt, a, b}; }
[[nodiscard]] inline Condition operator>=(const Reg& a, const Value& b) { return {CompareMode::Ge, a, b}; }
[[nodiscard]] inline Condition operator==(const Reg& a, const Value& b) { return {CompareMode::Eq, a, b}; }
[[nodiscard]] inline Condition operator!=(const Reg& a, const Value& b) { return {CompareMode::Ne, a, b}; }

/// A tile: a descriptor under construction. Copies are aliases of the same bytes; a descriptor enters the program's
/// table when an instruction uses it. Registers named by valid() or at() must outlive the instructions that use it.
class Tile {
 public:
  Tile() = default;
  Tile(TileDesc desc, std::string name, std::uint32_t begin, std::uint32_t end)
      : desc_{desc}, name_{std::move(name)}, begin_{begin}, end_{end} {}

  [[nodiscard]] std::uint32_t rows() const { return desc_.rows; }
  [[nodiscard]] std::uint32_t cols() const { return desc_.cols; }
  [[nodiscard]] DType dtype() const { return desc_.dtype; }
  [[nodiscard]] const TileDesc& desc() const { return desc_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Bytes of the space that instructions on this tile may touch, for any value of its offset register.
  [[nodiscard]] std::uint32_t begin() const { return begin_; }
  [[nodiscard]] std::uint32_t end() const { return end_; }

  /// The same tile with another valid region; constants or registers, at most rows() x cols().
  [[nodiscard]] Tile valid(const Value& rows, const Value& cols) const;
  /// Static sub-block of rows x cols at (row, col); ND and matrix layouts.
  [[nodiscard]] Tile view(std::uint32_t row, std::uint32_t col, std::uint32_t rows, std::uint32_t cols) const;
  /// Rows first, first + step, ...: `count` of them (a strided view, no data moves).
  [[nodiscard]] Tile every(std::uint32_t first, std::uint32_t step, std::uint32_t count) const;
  /// The tile `bytes` further on; the register must keep the access inside what the tile owns.
  [[nodiscard]] Tile at(const Reg& bytes) const;
  /// The same bytes under another type, shape and layout (TRESHAPE); the tile must be contiguous, unless only the type
  /// changes to one of equal size.
  [[nodiscard]] Tile reshape(DType dtype, std::uint32_t rows, std::uint32_t cols, Layout layout) const;
  /// A [1, n] row seen as a [n, 1] column of per-row scalars, and back.
  [[nodiscard]] Tile as_column() const { return reshape(desc_.dtype, desc_.cols, 1, Layout::DN); }
  [[nodiscard]] Tile as_row() const { return reshape(desc_.dtype, 1, desc_.rows, Layout::ND); }
  [[nodiscard]] Tile padded(Pad pad) const;

 private:
  friend class PartBuilder;
  friend class Ring;
  TileDesc desc_;
  std::string name_;
  std::uint32_t begin_ = 0, end_ = 0;
};

/// A 2-D view of global memory; owns its base register until the instruction has been emitted.
struct Gm {
  Reg base;
  GmDesc desc;
};

/// A tensor argument seen as a matrix of `cols` elements a row (row pitch = cols elements unless said otherwise).
class GmTensor {
 public:
  GmTensor(Reg base, DType dtype, std::uint32_t cols) : base_{std::move(base)}, dtype_{dtype}, cols_{cols} {}
  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] std::uint32_t cols() const { return cols_; }
  [[nodiscard]] const Reg& base() const { return base_; }
  /// View that starts at element (row, col).
  [[nodiscard]] Gm at(const Value& row, const Value& col) const;
  /// The same, read so that a line of memory is a column of the tile (transposing move).
  [[nodiscard]] Gm transposed_at(const Value& row, const Value& col) const;
  /// Byte address of element (row, col).
  [[nodiscard]] Reg address(const Value& row, const Value& col) const;

 private:
  Reg base_;
  DType dtype_;
  std::uint32_t cols_;
};

}  // namespace npu::isa
