// The builder's instructions: flags, movers, cube, vector with its read-after-write barriers.
#include <bit>

#include "isa/builder/part_builder.hpp"

namespace npu::isa {

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
  if (pipe == Pipe::V) unsettled_.clear();
}

void PartBuilder::barrier_all(Loc loc) {
  emit({.opcode = Opcode::PipeBarrier}, loc);
  unsettled_.clear();
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
  const bool on_vector = dst.desc().space == Space::UB;
  if (on_vector) before_vector_reads({&src}, loc);
  emit({.opcode = Opcode::TMov, .t0 = use(dst), .t1 = use(src)}, loc);
  if (on_vector) after_vector_write(dst);
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

void PartBuilder::before_vector_reads(std::initializer_list<const Tile*> reads, const Loc& loc) {
  if (!orders_vector_) return;
  const auto overlaps = [](const Tile* t, const std::pair<std::uint32_t, std::uint32_t>& range) {
    return t->begin() < range.second && range.first < t->end();
  };
  for (const Tile* t : reads) {
    for (const auto& range : unsettled_) {
      if (overlaps(t, range)) {
        barrier(Pipe::V, loc);
        return;
      }
    }
  }
}

void PartBuilder::after_vector_write(const Tile& dst) {
  // Only the instruction right before can still be in flight: its result is later than its occupancy by less than the
  // shortest occupancy of the next one.
  unsettled_.assign(1, {dst.begin(), dst.end()});
}

void PartBuilder::settle_vector(const Loc& loc) {
  if (orders_vector_ && !unsettled_.empty()) barrier(Pipe::V, loc);
}

void PartBuilder::vec(Opcode op, const Tile& dst, const Tile& a, Loc loc) {
  before_vector_reads({&a}, loc);
  emit({.opcode = op, .t0 = use(dst), .t1 = use(a)}, loc);
  after_vector_write(dst);
}

void PartBuilder::vec(Opcode op, const Tile& dst, const Tile& a, const Tile& b, Loc loc) {
  before_vector_reads({&a, &b}, loc);
  emit({.opcode = op, .t0 = use(dst), .t1 = use(a), .t2 = use(b)}, loc);
  after_vector_write(dst);
}

void PartBuilder::emit_scalar_tile_op(Opcode op, const Tile& dst, const Tile* a, double scalar, const Loc& loc) {
  const bool is_float = dst.dtype() == DType::F32 || dst.dtype() == DType::F16 || dst.dtype() == DType::BF16;
  const std::int32_t imm =
      is_float ? std::bit_cast<std::int32_t>(static_cast<float>(scalar)) : static_cast<std::int32_t>(scalar);
  if (a != nullptr) before_vector_reads({a}, loc);
  emit({.opcode = op, .t0 = use(dst), .t1 = a != nullptr ? use(*a) : kNoDescriptor, .imm = imm}, loc);
  after_vector_write(dst);
}

void PartBuilder::vecs(Opcode op, const Tile& dst, const Tile& a, double scalar, Loc loc) {
  emit_scalar_tile_op(op, dst, &a, scalar, loc);
}

void PartBuilder::vecs(Opcode op, const Tile& dst, const Tile& a, const Reg& scalar, Loc loc) {
  before_vector_reads({&a}, loc);
  emit({.opcode = op, .t0 = use(dst), .t1 = use(a), .r0 = scalar.index()}, loc);
  after_vector_write(dst);
}

void PartBuilder::texpands(const Tile& dst, double scalar, Loc loc) {
  emit_scalar_tile_op(Opcode::TExpandS, dst, nullptr, scalar, loc);
}

void PartBuilder::texpands(const Tile& dst, const Reg& scalar, Loc loc) {
  emit({.opcode = Opcode::TExpandS, .t0 = use(dst), .r0 = scalar.index()}, loc);
  after_vector_write(dst);
}

void PartBuilder::tci(const Tile& dst, std::int32_t start, Loc loc) {
  emit({.opcode = Opcode::TCi, .t0 = use(dst), .imm = start}, loc);
  after_vector_write(dst);
}

void PartBuilder::tcvt(const Tile& dst, const Tile& src, RoundMode mode, Loc loc) {
  before_vector_reads({&src}, loc);
  emit({.opcode = Opcode::TCvt, .mode = static_cast<std::uint8_t>(mode), .t0 = use(dst), .t1 = use(src)}, loc);
  after_vector_write(dst);
}

void PartBuilder::tfillpad(const Tile& tile, Loc loc) {
  before_vector_reads({&tile}, loc);
  emit({.opcode = Opcode::TFillPad, .t0 = use(tile)}, loc);
  after_vector_write(tile);
}

void PartBuilder::tgather_mask(const Tile& dst, const Tile& src, std::uint8_t pattern, Loc loc) {
  before_vector_reads({&src}, loc);
  emit({.opcode = Opcode::TGatherMask, .mode = pattern, .t0 = use(dst), .t1 = use(src)}, loc);
  after_vector_write(dst);
}

void PartBuilder::tmrgsort(const Tile& dst, const Tile& src, std::uint32_t run, Loc loc) {
  before_vector_reads({&src}, loc);
  emit({.opcode = Opcode::TMrgSort, .t0 = use(dst), .t1 = use(src), .imm = static_cast<std::int32_t>(run)}, loc);
  after_vector_write(dst);
}

}  // namespace npu::isa
