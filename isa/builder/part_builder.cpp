#include "isa/builder/part_builder.hpp"

#include <algorithm>
#include <bit>

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

/// Nothing on a chip comes near; keeps offsets far from the end of 32 bits.
constexpr std::uint64_t kMaxSpaceBytes = std::uint64_t{1} << 30;

constexpr std::uint32_t kMaxExtent = 0xffff;  // rows and columns of a descriptor
constexpr std::uint32_t kBlockBytes = 32;     // unit of the vector pipe's accesses to UB

}  // namespace

PartBuilder::PartBuilder(std::string kernel, CoreKind kind, const ArchSpec& arch) : arch_{arch} {
  program_.name = std::move(kernel);
  program_.kind = kind;
}

// ---- values ----------------------------------------------------------------------------------------------------

Reg PartBuilder::fresh() {
  if (free_registers_ == 0)
    throw program_error("{}: all {} scalar registers are in use", program_.name, kRegisterCount);
  const auto index = static_cast<std::uint8_t>(std::countr_zero(free_registers_));
  free_registers_ &= free_registers_ - 1;
  return {*this, index};
}

Reg PartBuilder::imm(std::int64_t value) {
  Reg r = fresh();
  r.set(value);
  return r;
}

Reg PartBuilder::copy(const Reg& value) {
  Reg r = fresh();
  r.set(value);
  return r;
}

Reg PartBuilder::materialise(const Value& v) { return v.reg() != nullptr ? copy(*v.reg()) : imm(v.imm()); }

Reg PartBuilder::special(SpecialReg which) {
  Reg r = fresh();
  emit({.opcode = Opcode::LdSpr, .mode = static_cast<std::uint8_t>(which), .r0 = r.index()}, Loc::current());
  return r;
}

Reg PartBuilder::scalar(ScalarArgument arg) {
  Reg r = fresh();
  emit({.opcode = Opcode::LdArg, .r0 = r.index(), .imm = static_cast<std::int32_t>(arg.index)}, Loc::current());
  return r;
}

GmTensor PartBuilder::tensor(TensorArgument arg) { return tensor(arg, arg.cols); }

GmTensor PartBuilder::tensor(TensorArgument arg, std::uint32_t cols) { return {scalar({arg.index}), arg.dtype, cols}; }

Reg PartBuilder::load_gm(DType dtype, const Reg& address, std::int32_t offset, Loc loc) {
  Reg r = fresh();
  emit({.opcode = Opcode::LdGm,
        .mode = static_cast<std::uint8_t>(dtype),
        .r0 = r.index(),
        .r1 = address.index(),
        .imm = offset},
       loc);
  return r;
}

void PartBuilder::store_gm(DType dtype, const Reg& value, const Reg& address, std::int32_t offset, Loc loc) {
  emit({.opcode = Opcode::StGm,
        .mode = static_cast<std::uint8_t>(dtype),
        .r0 = value.index(),
        .r1 = address.index(),
        .imm = offset},
       loc);
}

Reg PartBuilder::load_tile(const Tile& tile, const Value& row, const Value& col, Loc loc) {
  const Reg r = materialise(row), c = materialise(col);
  Reg result = fresh();
  emit({.opcode = Opcode::LdTile, .t0 = use(tile), .r0 = result.index(), .r1 = r.index(), .r2 = c.index()}, loc);
  return result;
}

void PartBuilder::store_tile(const Reg& value, const Tile& tile, const Value& row, const Value& col, Loc loc) {
  const Reg r = materialise(row), c = materialise(col);
  emit({.opcode = Opcode::StTile, .t0 = use(tile), .r0 = value.index(), .r1 = r.index(), .r2 = c.index()}, loc);
}

void PartBuilder::dcci(const Reg& address, const Value& bytes, Loc loc) {
  const Reg size = materialise(bytes);
  emit({.opcode = Opcode::Dcci, .r0 = address.index(), .r1 = size.index()}, loc);
}

void PartBuilder::dsb(Loc loc) { emit({.opcode = Opcode::Dsb}, loc); }

// ---- control flow ------------------------------------------------------------------------------------------------

void PartBuilder::branch_unless(const Condition& c, std::size_t& patch) {
  constexpr std::array<CompareMode, 6> kNegated{CompareMode::Ne, CompareMode::Eq, CompareMode::Le,
                                                CompareMode::Lt, CompareMode::Ge, CompareMode::Gt};
  const auto mode = static_cast<std::uint8_t>(kNegated[index_of(c.mode)]);
  if (c.b.reg() != nullptr) {
    patch = emit({.opcode = Opcode::BrCmp, .mode = mode, .r0 = c.a.index(), .r1 = c.b.reg()->index()}, Loc::current());
  } else if (c.b.imm() == 0) {
    patch = emit({.opcode = Opcode::BrCmp, .mode = mode, .r0 = c.a.index(), .r1 = 0}, Loc::current());
  } else {
    const Reg b = imm(c.b.imm());
    patch = emit({.opcode = Opcode::BrCmp, .mode = mode, .r0 = c.a.index(), .r1 = b.index()}, Loc::current());
  }
}

void PartBuilder::patch_target(std::size_t branch, std::size_t target) {
  program_.code[branch].imm = static_cast<std::int32_t>(target);
}

void PartBuilder::for_range(const Value& begin, const Value& end, const Value& step,
                            const std::function<void(const Reg&)>& body) {
  Reg i = materialise(begin);
  // A bound in a register may change or die inside the body, so the loop keeps its own.
  const Reg last = materialise(end);
  settle_vector(Loc::current());
  std::size_t exit = 0;
  const std::size_t top = program_.code.size();
  branch_unless(i < last, exit);
  body(i);
  settle_vector(Loc::current());
  if (step.reg() != nullptr) {
    i += *step.reg();
  } else {
    i += step.imm();
  }
  emit({.opcode = Opcode::Br, .imm = static_cast<std::int32_t>(top)}, Loc::current());
  patch_target(exit, program_.code.size());
}

void PartBuilder::if_(const Condition& condition, const std::function<void()>& then) {
  if_else(condition, then, nullptr);
}

void PartBuilder::if_else(const Condition& condition, const std::function<void()>& then,
                          const std::function<void()>& otherwise) {
  settle_vector(Loc::current());
  std::size_t skip = 0;
  branch_unless(condition, skip);
  then();
  settle_vector(Loc::current());
  if (!otherwise) {
    patch_target(skip, program_.code.size());
    return;
  }
  const std::size_t end = emit({.opcode = Opcode::Br}, Loc::current());
  patch_target(skip, program_.code.size());
  otherwise();
  settle_vector(Loc::current());
  patch_target(end, program_.code.size());
}

void PartBuilder::while_(const std::function<Condition()>& condition, const std::function<void()>& body) {
  settle_vector(Loc::current());
  const std::size_t top = program_.code.size();
  std::size_t exit = 0;
  branch_unless(condition(), exit);
  body();
  settle_vector(Loc::current());
  emit({.opcode = Opcode::Br, .imm = static_cast<std::int32_t>(top)}, Loc::current());
  patch_target(exit, program_.code.size());
}

// ---- local memory ------------------------------------------------------------------------------------------------

std::uint32_t PartBuilder::allocate(Space space, std::uint64_t bytes, const std::string& name) {
  const BufferSpec& spec = arch_.buffer(space);
  auto& used = used_[index_of(space)];
  const auto offset = static_cast<std::uint32_t>(round_up(used, spec.alignment));
  if (offset + bytes > kMaxSpaceBytes) {
    throw program_error("kernel {}: tile {} needs {} bytes of {} at {}, {} has {} ({}); cut the tile", program_.name,
                        name, bytes, name_of(space), offset, arch_.name, spec.capacity.count(), capacity_key(space));
  }
  allocations_.push_back({space, name, offset, static_cast<std::uint32_t>(bytes)});
  used = offset + static_cast<std::uint32_t>(bytes);
  return offset;
}

Tile PartBuilder::tile(Space space, DType dtype, std::uint32_t rows, std::uint32_t cols, Layout layout,
                       const std::string& name) {
  const auto require_extents = [&](std::uint32_t r, std::uint32_t c) {
    if (r != 0 && c != 0 && r <= kMaxExtent && c <= kMaxExtent) return;
    throw program_error("kernel {}: tile {} of {}x{}: extents lie between 1 and {}", program_.name, name, r, c,
                        kMaxExtent);
  };
  require_extents(rows, cols);
  const std::uint32_t size = size_of(dtype), k0 = arch_.fractal_bytes / size, m0 = arch_.fractal_rows;
  const auto up = [](std::uint32_t a, std::uint32_t b) { return static_cast<std::uint32_t>(round_up(a, b)); };
  std::uint32_t own_rows = rows, own_cols = cols;
  switch (space) {
    case Space::UB:
      break;
    case Space::L1:
    case Space::L0A:
      own_rows = up(rows, m0);
      own_cols = up(cols, k0);
      break;
    case Space::L0B:
      own_rows = up(rows, k0);
      own_cols = up(cols, m0);
      break;
    case Space::L0C:
      own_rows = up(rows, m0);
      own_cols = up(cols, m0);
      break;
    case Space::BT:
      own_cols = up(cols, m0);
      break;
  }
  require_extents(own_rows, own_cols);
  const std::uint32_t line = (is_column_major(layout) ? own_rows : own_cols) * size;
  const std::uint32_t lines = is_column_major(layout) ? own_cols : own_rows;
  const std::uint32_t pitch =
      up(line, space == Space::UB ? std::max(kBlockBytes, arch_.buffer(space).alignment) : arch_.fractal_bytes);
  const std::uint32_t offset = allocate(space, std::uint64_t{pitch} * lines, name);
  Allocation& allocation = allocations_.back();
  allocation.dtype = dtype;
  allocation.rows = rows;
  allocation.cols = cols;
  const TileDesc desc{.space = space,
                      .dtype = dtype,
                      .layout = layout,
                      .offset = offset,
                      .pitch = pitch,
                      .rows = static_cast<std::uint16_t>(own_rows),
                      .cols = static_cast<std::uint16_t>(own_cols),
                      .valid_rows = static_cast<std::uint16_t>(rows),
                      .valid_cols = static_cast<std::uint16_t>(cols)};
  return {desc, name, offset, offset + pitch * lines};
}

Ring& PartBuilder::ring(std::uint32_t slots, Pipe producer, Pipe consumer, const std::vector<RingMember>& members) {
  NPU_ASSERT(slots > 0 && !members.empty(), "a ring has slots and members");
  // One offset register serves all members: every space advances by the largest slot, and stays aligned.
  std::array<std::uint32_t, kSpaceCount> slot_bytes{};
  std::uint32_t alignment = 1;
  std::vector<Tile> tiles;
  const auto start = used_;
  const std::size_t first_allocation = allocations_.size();
  for (const RingMember& m : members) {
    tiles.push_back(tile(m.space, m.dtype, m.rows, m.cols, m.layout, m.name));
    const std::size_t s = index_of(m.space);
    slot_bytes[s] = static_cast<std::uint32_t>(round_up(used_[s], arch_.buffers[s].alignment)) -
                    static_cast<std::uint32_t>(round_up(start[s], arch_.buffers[s].alignment));
    alignment = std::max(alignment, arch_.buffers[s].alignment);
  }
  const auto stride =
      static_cast<std::uint32_t>(round_up(*std::max_element(slot_bytes.begin(), slot_bytes.end()), alignment));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    tiles[i].end_ += (slots - 1) * stride;
    allocations_[first_allocation + i].slots = slots;
  }
  for (std::size_t s = 0; s < kSpaceCount; ++s) {
    if (slot_bytes[s] == 0 || slots == 1) continue;
    const std::uint64_t last = std::uint64_t{slots - 1} * stride - (stride - slot_bytes[s]);
    if (stride > slot_bytes[s])
      used_[s] = static_cast<std::uint32_t>(round_up(used_[s], arch_.buffers[s].alignment)) + stride - slot_bytes[s];
    [[maybe_unused]] const std::uint32_t more =
        allocate(static_cast<Space>(s), last, fmt::format("{} (other slots)", tiles.front().name()));
  }
  rings_.push_back(std::make_unique<Ring>(*this, slots, producer, consumer, std::move(tiles)));
  rings_.back()->stride_ = stride;
  return *rings_.back();
}

std::uint32_t PartBuilder::take_flags(Pipe from, Pipe to, std::uint32_t count) {
  auto& next = next_flag_[index_of(from)][index_of(to)];
  if (next + count > sync_flag()) {
    throw program_error("kernel {}: its rings need {} flags from {} to {}, core.flags_per_pair = {} leaves {}",
                        program_.name, next + count, name_of(from), name_of(to), arch_.flags_per_pair, sync_flag());
  }
  return std::exchange(next, next + count);
}

// ---- emission ----------------------------------------------------------------------------------------------------

std::size_t PartBuilder::emit(const Instruction& ins, const Loc& loc) {
  program_.code.push_back(ins);
  program_.source_lines.push_back(loc.line());
  return program_.code.size() - 1;
}

std::uint16_t PartBuilder::use(const Tile& t) {
  const auto& tiles = program_.tiles;
  const auto found = std::find(tiles.begin(), tiles.end(), t.desc());
  if (found == tiles.end()) {
    program_.tiles.push_back(t.desc());
    program_.tile_names.push_back(t.name());
    return static_cast<std::uint16_t>(tiles.size() - 1);
  }
  return static_cast<std::uint16_t>(found - tiles.begin());
}

std::uint16_t PartBuilder::use(const Gm& g) {
  GmDesc desc = g.desc;
  desc.base_reg = g.base.index();
  const auto& gms = program_.gms;
  const auto found = std::find(gms.begin(), gms.end(), desc);
  if (found != gms.end()) return static_cast<std::uint16_t>(found - gms.begin());
  program_.gms.push_back(desc);
  return static_cast<std::uint16_t>(gms.size() - 1);
}

Program PartBuilder::finish() {
  for (const auto& ring : rings_) ring->drain();
  rings_.clear();
  emit({.opcode = Opcode::Halt}, Loc::current());
  return std::move(program_);
}

}  // namespace npu::isa
