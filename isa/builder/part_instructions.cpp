// The builder's instructions: flags, movers, cube, vector with its read-after-write barriers.
#include <bit>
#include <span>

#include "isa/builder/part_builder.hpp"
#include "isa/instructions/instruction_form.hpp"

namespace npu::isa {
namespace {

/// A scalar operand in the immediate: the bits of a float for float tiles.
std::int32_t scalar_bits(DType dtype, double scalar) {
  return is_float(dtype) ? std::bit_cast<std::int32_t>(static_cast<float>(scalar)) : static_cast<std::int32_t>(scalar);
}

}  // namespace

void PartBuilder::set_flag(Pipe from, Pipe to, std::uint32_t id, Loc loc) {
  emit({.opcode = Opcode::SetFlag,
        .t0 = static_cast<std::uint16_t>(from),
        .t1 = static_cast<std::uint16_t>(to),
        .imm = static_cast<std::int32_t>(id)},
       loc);
}

void PartBuilder::wait_flag(Pipe from, Pipe to, std::uint32_t id, Loc loc) {
  emit({.opcode = Opcode::WaitFlag,
        .t0 = static_cast<std::uint16_t>(from),
        .t1 = static_cast<std::uint16_t>(to),
        .imm = static_cast<std::int32_t>(id)},
       loc);
}

void PartBuilder::sync(Pipe from, Pipe to, Loc loc) {
  set_flag(from, to, sync_flag(), loc);
  wait_flag(from, to, sync_flag(), loc);
}

void PartBuilder::barrier(Pipe pipe, Loc loc) {
  emit({.opcode = Opcode::PipeBarrier, .t0 = static_cast<std::uint16_t>(pipe)}, loc);
  if (pipe == Pipe::V) unsettled_ = {};
}

void PartBuilder::barrier_all(Loc loc) {
  emit({.opcode = Opcode::PipeBarrier}, loc);
  unsettled_ = {};
}

void PartBuilder::set_cross(Pipe pipe, std::uint32_t id, Loc loc) {
  emit({.opcode = Opcode::SetCross, .t0 = static_cast<std::uint16_t>(pipe), .imm = static_cast<std::int32_t>(id)}, loc);
}

void PartBuilder::wait_cross(std::uint32_t id, Loc loc) {
  emit({.opcode = Opcode::WaitCross, .imm = static_cast<std::int32_t>(id)}, loc);
}

void PartBuilder::notify_add(const Reg& address, const Reg& value, Loc loc) {
  emit({.opcode = Opcode::TNotify, .mode = 1, .r0 = address.index(), .r1 = value.index()}, loc);
}

void PartBuilder::notify_set(const Reg& address, const Reg& value, Loc loc) {
  emit({.opcode = Opcode::TNotify, .mode = 0, .r0 = address.index(), .r1 = value.index()}, loc);
}

void PartBuilder::wait_cell(CompareMode mode, const Reg& address, const Reg& value, Loc loc) {
  emit({.opcode = Opcode::TWait, .mode = static_cast<std::uint8_t>(mode), .r0 = address.index(), .r1 = value.index()},
       loc);
}

void PartBuilder::tload(const Tile& dst, const Gm& src, Loc loc) {
  emit({.opcode = Opcode::TLoad, .t0 = use(dst), .t1 = use(src)}, loc);
}

void PartBuilder::tstore(const Gm& dst, const Tile& src, Loc loc) {
  emit({.opcode = Opcode::TStore, .t0 = use(src), .t1 = use(dst)}, loc);
}

void PartBuilder::tstore_add(const Gm& dst, const Tile& src, Loc loc) {
  emit({.opcode = Opcode::TStore, .mode = 1, .t0 = use(src), .t1 = use(dst)}, loc);
}

void PartBuilder::tmov(const Tile& dst, const Tile& src, Loc loc) {
  if (dst.desc().space == Space::UB) return emit_vector({.opcode = Opcode::TMov}, {&dst, &src}, loc);
  emit({.opcode = Opcode::TMov, .t0 = use(dst), .t1 = use(src)}, loc);
}

void PartBuilder::textract(const Tile& dst, const Tile& src, const Value& row, const Value& col, Loc loc) {
  const auto constant_zero = [](const Value& v) { return v.is(0); };
  std::optional<Reg> r, c;
  if (!constant_zero(row)) r.emplace(materialise(row));
  if (!constant_zero(col)) c.emplace(materialise(col));
  emit({.opcode = Opcode::TExtract,
        .mode = static_cast<std::uint8_t>(dst.desc().layout == Layout::ZNt ? 1 : 0),
        .t0 = use(dst),
        .t1 = use(src),
        .r1 = r ? r->index() : std::uint8_t{0},
        .r2 = c ? c->index() : std::uint8_t{0}},
       loc);
}

void PartBuilder::tmatmul(const Tile& acc, const Tile& left, const Tile& right, Loc loc) {
  emit({.opcode = Opcode::TMatmul, .t0 = use(acc), .t1 = use(left), .t2 = use(right)}, loc);
}

void PartBuilder::tmatmul_acc(const Tile& acc, const Tile& left, const Tile& right, Loc loc) {
  emit({.opcode = Opcode::TMatmulAcc, .t0 = use(acc), .t1 = use(left), .t2 = use(right)}, loc);
}

void PartBuilder::tmatmul_step(const Reg& k, const Tile& acc, const Tile& left, const Tile& right, Loc loc) {
  if_else(
      k == 0, [&] { tmatmul(acc, left, right, loc); }, [&] { tmatmul_acc(acc, left, right, loc); });
}

// ---- vector ------------------------------------------------------------------------------------------------------

void PartBuilder::back_to_back(const std::function<void()>& body) {
  orders_vector_ = false;
  body();
  orders_vector_ = true;
}

void PartBuilder::settle_vector(const Loc& loc) {
  if (orders_vector_ && unsettled_.begin != unsettled_.end) barrier(Pipe::V, loc);
}

/// A vector instruction on these tiles, in the order of its fields. A barrier goes in front of it when it reads what
/// the pipe has just written: only the instruction right before can still be in flight, because its result is later
/// than its occupancy by less than the shortest occupancy of the next one.
void PartBuilder::emit_vector(Instruction ins, std::initializer_list<const Tile*> tiles, const Loc& loc) {
  const std::span<const Tile* const> all{tiles.begin(), tiles.size()};
  const Tile* written = nullptr;
  bool reads_unsettled = false;
  for (const OperandSpec& operand : op_info(ins.opcode).operands) {
    if (!is_tile(operand.kind)) continue;
    const Tile& tile = *all[index_of(operand.field) - index_of(Field::T0)];
    if (operand.kind != OperandKind::TileSrc) written = &tile;
    if (operand.kind == OperandKind::TileDst) continue;
    reads_unsettled = reads_unsettled || (tile.begin() < unsettled_.end && unsettled_.begin < tile.end());
  }
  if (orders_vector_ && reads_unsettled) barrier(Pipe::V, loc);
  for (std::size_t i = 0; i < all.size(); ++i)
    set_descriptor_field(ins, static_cast<Field>(index_of(Field::T0) + i), use(*all[i]));
  emit(ins, loc);
  unsettled_ = {written->begin(), written->end()};
}

void PartBuilder::vec(Opcode op, const Tile& dst, const Tile& a, Loc loc) {
  emit_vector({.opcode = op}, {&dst, &a}, loc);
}

void PartBuilder::vec(Opcode op, const Tile& dst, const Tile& a, const Tile& b, Loc loc) {
  emit_vector({.opcode = op}, {&dst, &a, &b}, loc);
}

void PartBuilder::vecs(Opcode op, const Tile& dst, const Tile& a, double scalar, Loc loc) {
  emit_vector({.opcode = op, .imm = scalar_bits(dst.dtype(), scalar)}, {&dst, &a}, loc);
}

void PartBuilder::vecs(Opcode op, const Tile& dst, const Tile& a, const Reg& scalar, Loc loc) {
  emit_vector({.opcode = op, .r0 = scalar.index()}, {&dst, &a}, loc);
}

void PartBuilder::texpands(const Tile& dst, double scalar, Loc loc) {
  emit_vector({.opcode = Opcode::TExpandS, .imm = scalar_bits(dst.dtype(), scalar)}, {&dst}, loc);
}

void PartBuilder::texpands(const Tile& dst, const Reg& scalar, Loc loc) {
  emit_vector({.opcode = Opcode::TExpandS, .r0 = scalar.index()}, {&dst}, loc);
}

void PartBuilder::tci(const Tile& dst, std::int32_t start, Loc loc) {
  emit_vector({.opcode = Opcode::TCi, .imm = start}, {&dst}, loc);
}

void PartBuilder::tcvt(const Tile& dst, const Tile& src, RoundMode mode, Loc loc) {
  emit_vector({.opcode = Opcode::TCvt, .mode = static_cast<std::uint8_t>(mode)}, {&dst, &src}, loc);
}

void PartBuilder::tfillpad(const Tile& tile, Loc loc) { emit_vector({.opcode = Opcode::TFillPad}, {&tile}, loc); }

void PartBuilder::tgather_mask(const Tile& dst, const Tile& src, std::uint8_t pattern, Loc loc) {
  emit_vector({.opcode = Opcode::TGatherMask, .mode = pattern}, {&dst, &src}, loc);
}

void PartBuilder::tmrgsort(const Tile& dst, const Tile& src, std::uint32_t run, Loc loc) {
  emit_vector({.opcode = Opcode::TMrgSort, .imm = static_cast<std::int32_t>(run)}, {&dst, &src}, loc);
}

}  // namespace npu::isa
