#include "isa/builder/operands.hpp"

#include <limits>

#include "isa/builder/part_builder.hpp"
#include "isa/errors.hpp"
#include "isa/units.hpp"

namespace npu::isa {
namespace {

bool fits_immediate(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

}  // namespace

Reg::~Reg() {
  if (part_ != nullptr) part_->free_registers_ |= 1U << index_;
}

void Reg::set(const Reg& value) {
  part_->emit({.opcode = Opcode::Mov, .r0 = index_, .r1 = value.index_}, Loc::current());
}

void Reg::set(std::int64_t value) {
  part_->emit({.opcode = Opcode::Li, .r0 = index_, .imm = static_cast<std::int32_t>(value)}, Loc::current());
  if (!fits_immediate(value)) {
    part_->emit({.opcode = Opcode::Lih, .r0 = index_, .imm = static_cast<std::int32_t>(value >> 32)}, Loc::current());
  }
}

void Reg::operator+=(const Reg& value) {
  part_->emit({.opcode = Opcode::Add, .r0 = index_, .r1 = index_, .r2 = value.index_}, Loc::current());
}

void Reg::operator+=(std::int64_t value) {
  if (!fits_immediate(value)) return *this += part_->imm(value);
  part_->emit({.opcode = Opcode::Addi, .r0 = index_, .r1 = index_, .imm = static_cast<std::int32_t>(value)},
              Loc::current());
}

/// rd = a op b with a fresh destination; constants use the immediate forms where the table has them and they fit.
Reg scalar_op(Opcode op, const Reg& a, const Value& b) {
  PartBuilder& part = a.part();
  Reg result = part.fresh();
  if (b.reg() != nullptr) {
    part.emit({.opcode = op, .r0 = result.index(), .r1 = a.index(), .r2 = b.reg()->index()}, Loc::current());
    return result;
  }
  // The least number has no negative: it stays a subtrahend.
  const bool negated = op == Opcode::Sub && b.imm() != std::numeric_limits<std::int64_t>::min();
  const std::int64_t value = negated ? -b.imm() : b.imm();
  if ((negated || op == Opcode::Add || op == Opcode::Mul) && fits_immediate(value)) {
    part.emit({.opcode = op == Opcode::Mul ? Opcode::Muli : Opcode::Addi,
               .r0 = result.index(),
               .r1 = a.index(),
               .imm = static_cast<std::int32_t>(value)},
              Loc::current());
  } else {
    const Reg constant = part.imm(b.imm());
    part.emit({.opcode = op, .r0 = result.index(), .r1 = a.index(), .r2 = constant.index()}, Loc::current());
  }
  return result;
}

Reg operator+(const Reg& a, const Value& b) { return scalar_op(Opcode::Add, a, b); }
Reg operator-(const Reg& a, const Value& b) { return scalar_op(Opcode::Sub, a, b); }
Reg operator*(const Reg& a, const Value& b) { return scalar_op(Opcode::Mul, a, b); }
Reg operator/(const Reg& a, const Value& b) { return scalar_op(Opcode::Div, a, b); }
Reg operator%(const Reg& a, const Value& b) { return scalar_op(Opcode::Rem, a, b); }
Reg min(const Reg& a, const Value& b) { return scalar_op(Opcode::Min, a, b); }
Reg max(const Reg& a, const Value& b) { return scalar_op(Opcode::Max, a, b); }

Tile Tile::valid(const Value& rows, const Value& cols) const {
  Tile t = *this;
  const auto set = [&](const Value& v, std::uint16_t limit, std::uint16_t& field, std::uint8_t& reg) {
    if (v.reg() != nullptr) {
      reg = v.reg()->index();
      field = limit;
      return;
    }
    if (v.imm() < 0 || v.imm() > limit) {
      throw program_error("tile {}: valid extent {} exceeds the {} that it owns", name_, v.imm(), limit);
    }
    reg = 0;
    field = static_cast<std::uint16_t>(v.imm());
  };
  set(rows, desc_.rows, t.desc_.valid_rows, t.desc_.valid_rows_reg);
  set(cols, desc_.cols, t.desc_.valid_cols, t.desc_.valid_cols_reg);
  return t;
}

Tile Tile::view(std::uint32_t row, std::uint32_t col, std::uint32_t rows, std::uint32_t cols) const {
  if (row + rows > desc_.rows || col + cols > desc_.cols) {
    throw program_error("tile {}: view of {}x{} at ({}, {}) exceeds {}x{}", name_, rows, cols, row, col, desc_.rows,
                        desc_.cols);
  }
  Tile t = *this;
  const std::uint32_t line = is_column_major(desc_.layout) ? col : row;
  const std::uint32_t along = is_column_major(desc_.layout) ? row : col;
  t.desc_.offset += line * desc_.pitch + along * size_of(desc_.dtype);
  t.desc_.rows = t.desc_.valid_rows = static_cast<std::uint16_t>(rows);
  t.desc_.cols = t.desc_.valid_cols = static_cast<std::uint16_t>(cols);
  t.desc_.valid_rows_reg = t.desc_.valid_cols_reg = 0;
  if (desc_.offset_reg == 0 && rows > 0 && cols > 0) {
    const std::uint32_t lines = is_column_major(desc_.layout) ? cols : rows;
    const std::uint32_t length = is_column_major(desc_.layout) ? rows : cols;
    t.begin_ = t.desc_.offset;
    t.end_ = t.begin_ + static_cast<std::uint32_t>(
                            extent_of_lines(lines, std::uint64_t{length} * size_of(desc_.dtype), desc_.pitch));
  }
  return t;
}

Tile Tile::every(std::uint32_t first, std::uint32_t step, std::uint32_t count) const {
  NPU_ASSERT(!is_column_major(desc_.layout), "every() takes rows of a row-major tile");
  if (count == 0 || first + (count - 1) * step >= desc_.rows) {
    throw program_error("tile {}: {} rows from {} in steps of {} exceed {} rows", name_, count, first, step,
                        desc_.rows);
  }
  Tile t = view(first, 0, (count - 1) * step + 1, desc_.cols);
  t.desc_.rows = t.desc_.valid_rows = static_cast<std::uint16_t>(count);
  t.desc_.pitch = desc_.pitch * step;
  return t;
}

Tile Tile::at(const Reg& bytes) const {
  NPU_ASSERT(desc_.offset_reg == 0, "a tile has one offset register");
  Tile t = *this;
  t.desc_.offset_reg = bytes.index();
  return t;
}

Tile Tile::reshape(DType dtype, std::uint32_t rows, std::uint32_t cols, Layout layout) const {
  const bool same_form = rows == desc_.rows && cols == desc_.cols && layout == desc_.layout;
  if (same_form && size_of(dtype) == size_of(desc_.dtype)) {  // only the type changes; lines may be padded
    Tile t = *this;
    t.desc_.dtype = dtype;
    t.desc_.valid_rows = desc_.rows;
    t.desc_.valid_cols = desc_.cols;
    t.desc_.valid_rows_reg = t.desc_.valid_cols_reg = 0;
    return t;
  }
  const std::uint32_t line = (is_column_major(layout) ? rows : cols) * size_of(dtype);
  const std::uint32_t lines = is_column_major(layout) ? cols : rows;
  const std::uint32_t own_lines = is_column_major(desc_.layout) ? desc_.cols : desc_.rows;
  const std::uint32_t own_line = (is_column_major(desc_.layout) ? desc_.rows : desc_.cols) * size_of(desc_.dtype);
  if (lines * line != own_lines * own_line || (own_lines > 1 && own_line != desc_.pitch)) {
    throw program_error("tile {}: reshape to {}x{} of {} needs the same, contiguous bytes", name_, rows, cols,
                        name_of(dtype));
  }
  Tile t = *this;
  t.desc_.dtype = dtype;
  t.desc_.layout = layout;
  t.desc_.pitch = lines > 1 ? line : static_cast<std::uint32_t>(round_up(line, 32));
  t.desc_.rows = t.desc_.valid_rows = static_cast<std::uint16_t>(rows);
  t.desc_.cols = t.desc_.valid_cols = static_cast<std::uint16_t>(cols);
  t.desc_.valid_rows_reg = t.desc_.valid_cols_reg = 0;
  return t;
}

Tile Tile::padded(Pad pad) const {
  Tile t = *this;
  t.desc_.pad = pad;
  return t;
}

Reg GmTensor::address(const Value& row, const Value& col) const {
  const std::int64_t size = size_of(dtype_), pitch = size * cols_;
  if (row.reg() == nullptr && col.reg() == nullptr) return base_ + Value{row.imm() * pitch + col.imm() * size};
  Reg result = row.reg() != nullptr ? *row.reg() * Value{pitch} : base_ + Value{row.imm() * pitch};
  if (row.reg() != nullptr) result += base_;
  if (col.reg() != nullptr) {
    const Reg bytes = *col.reg() * Value{size};
    result += bytes;
  } else if (col.imm() != 0) {
    result += col.imm() * size;
  }
  return result;
}

Gm GmTensor::at(const Value& row, const Value& col) const {
  return {address(row, col), {.dtype = dtype_, .layout = Layout::ND, .pitch = cols_ * size_of(dtype_)}};
}

Gm GmTensor::transposed_at(const Value& row, const Value& col) const {
  Gm view = at(row, col);
  view.desc.layout = Layout::DN;
  return view;
}

}  // namespace npu::isa
