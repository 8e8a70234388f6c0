// A structured macro-assembler for one core's program: values, control flow, local memory, tile instructions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/builder/capacity.hpp"
#include "isa/builder/operands.hpp"
#include "isa/builder/ring.hpp"
#include "isa/program.hpp"

namespace npu::isa {

using Loc = std::source_location;

/// A tensor argument of the kernel object; obtain the matrix inside a part with PartBuilder::tensor().
struct TensorArgument {
  std::uint32_t index;
  DType dtype;
  std::uint32_t cols;
};
struct ScalarArgument {
  std::uint32_t index;
};

class PartBuilder {
 public:
  PartBuilder(std::string kernel, CoreKind kind, const ArchSpec& arch);
  PartBuilder(const PartBuilder&) = delete;
  PartBuilder& operator=(const PartBuilder&) = delete;

  [[nodiscard]] const std::string& kernel() const { return program_.name; }
  [[nodiscard]] const ArchSpec& arch() const { return arch_; }

  // ---- values ----
  [[nodiscard]] Reg imm(std::int64_t value);
  [[nodiscard]] Reg copy(const Reg& value);
  [[nodiscard]] Reg special(SpecialReg which);
  [[nodiscard]] Reg block_index() { return special(SpecialReg::BlockIndex); }
  [[nodiscard]] Reg scalar(ScalarArgument arg);
  [[nodiscard]] GmTensor tensor(TensorArgument arg);
  /// The same argument with another row length (for example [T, H*hd] as [T*H, hd]).
  [[nodiscard]] GmTensor tensor(TensorArgument arg, std::uint32_t cols);
  [[nodiscard]] Reg load_gm(DType dtype, const Reg& address, std::int32_t offset = 0, Loc loc = Loc::current());
  void store_gm(DType dtype, const Reg& value, const Reg& address, std::int32_t offset = 0, Loc loc = Loc::current());
  [[nodiscard]] Reg load_tile(const Tile& tile, const Value& row, const Value& col, Loc loc = Loc::current());
  void store_tile(const Reg& value, const Tile& tile, const Value& row, const Value& col, Loc loc = Loc::current());
  /// Cleans and invalidates the data-cache lines of [address, address + bytes), so that others see this core's scalar
  /// stores and this core's next scalar loads see memory.
  void dcci(const Reg& address, const Value& bytes, Loc loc = Loc::current());
  void dsb(Loc loc = Loc::current());

  // ---- control flow ----
  void for_range(const Value& begin, const Value& end, const Value& step, const std::function<void(const Reg&)>& body);
  void if_(const Condition& condition, const std::function<void()>& then);
  void if_else(const Condition& condition, const std::function<void()>& then, const std::function<void()>& otherwise);
  /// `condition` is evaluated before every round; it may emit instructions.
  void while_(const std::function<Condition()>& condition, const std::function<void()>& body);

  // ---- local memory; KernelBuilder::finish() refuses what exceeds a space, with the memory map ----
  /// Matrix-space rows and columns are rounded up to whole fractals, UB lines to 32 bytes and to the alignment of UB;
  /// the valid region is as asked.
  [[nodiscard]] Tile tile(Space space, DType dtype, std::uint32_t rows, std::uint32_t cols, Layout layout,
                          const std::string& name);
  [[nodiscard]] Tile ub(DType dtype, std::uint32_t rows, std::uint32_t cols, const std::string& name) {
    return tile(Space::UB, dtype, rows, cols, Layout::ND, name);
  }
  /// Per-row scalars [rows, 1] in UB.
  [[nodiscard]] Tile column(DType dtype, std::uint32_t rows, const std::string& name) {
    return tile(Space::UB, dtype, rows, 1, Layout::DN, name);
  }
  [[nodiscard]] Tile l1(DType dtype, std::uint32_t rows, std::uint32_t cols, const std::string& name) {
    return tile(Space::L1, dtype, rows, cols, Layout::NZ, name);
  }
  [[nodiscard]] Tile l0a(DType dtype, std::uint32_t m, std::uint32_t k, const std::string& name) {
    return tile(Space::L0A, dtype, m, k, Layout::ZZ, name);
  }
  /// Right operand [k, n]; `layout` ZN when its source is [k, n], ZNt when it is [n, k].
  [[nodiscard]] Tile l0b(DType dtype, std::uint32_t k, std::uint32_t n, Layout layout, const std::string& name) {
    return tile(Space::L0B, dtype, k, n, layout, name);
  }
  [[nodiscard]] Tile l0c(DType dtype, std::uint32_t m, std::uint32_t n, const std::string& name) {
    return tile(Space::L0C, dtype, m, n, Layout::NZ, name);
  }
  /// Buffers between two pipes; the members are `slots`-fold copies of what the protos describe.
  struct RingMember {
    Space space;
    DType dtype;
    std::uint32_t rows, cols;
    Layout layout;
    std::string name;
  };
  [[nodiscard]] Ring& ring(std::uint32_t slots, Pipe producer, Pipe consumer, const std::vector<RingMember>& members);
  [[nodiscard]] const std::vector<Allocation>& memory_map() const { return allocations_; }

  // ---- synchronisation ----
  void set_flag(Pipe from, Pipe to, std::uint32_t id, Loc loc = Loc::current());
  void wait_flag(Pipe from, Pipe to, std::uint32_t id, Loc loc = Loc::current());
  /// `to` continues once `from` has retired everything issued so far.
  void sync(Pipe from, Pipe to, Loc loc = Loc::current());
  void barrier(Pipe pipe, Loc loc = Loc::current());
  void barrier_all(Loc loc = Loc::current());
  void set_cross(Pipe pipe, std::uint32_t id, Loc loc = Loc::current());
  void wait_cross(std::uint32_t id, Loc loc = Loc::current());
  void notify_add(const Reg& address, const Reg& value, Loc loc = Loc::current());
  void notify_set(const Reg& address, const Reg& value, Loc loc = Loc::current());
  void wait_cell(CompareMode mode, const Reg& address, const Reg& value, Loc loc = Loc::current());

  // ---- movers ----
  void tload(const Tile& dst, const Gm& src, Loc loc = Loc::current());
  void tstore(const Gm& dst, const Tile& src, Loc loc = Loc::current());
  void tstore_add(const Gm& dst, const Tile& src, Loc loc = Loc::current());
  void tmov(const Tile& dst, const Tile& src, Loc loc = Loc::current());
  /// dst = the sub-tile of src whose first element is (row, col) in src's coordinates; a ZNt destination takes a source
  /// that is stored [n, k].
  void textract(const Tile& dst, const Tile& src, const Value& row, const Value& col, Loc loc = Loc::current());

  // ---- cube ----
  void tmatmul(const Tile& acc, const Tile& left, const Tile& right, Loc loc = Loc::current());
  void tmatmul_acc(const Tile& acc, const Tile& left, const Tile& right, Loc loc = Loc::current());
  /// First step of a k loop starts the accumulator, the others continue it.
  void tmatmul_step(const Reg& k, const Tile& acc, const Tile& left, const Tile& right, Loc loc = Loc::current());

  // ---- vector; a pipe barrier goes in front of an instruction that reads what the pipe has just written ----
  /// Emits `body` without those barriers: instructions that depend on each other follow each other as they come.
  void back_to_back(const std::function<void()>& body);
  void vec(Opcode op, const Tile& dst, const Tile& a, Loc loc = Loc::current());
  void vec(Opcode op, const Tile& dst, const Tile& a, const Tile& b, Loc loc = Loc::current());
  /// Scalar operand: a float constant for float tiles, an integer for the others, or a register.
  void vecs(Opcode op, const Tile& dst, const Tile& a, double scalar, Loc loc = Loc::current());
  void vecs(Opcode op, const Tile& dst, const Tile& a, const Reg& scalar, Loc loc = Loc::current());
  void texpands(const Tile& dst, double scalar, Loc loc = Loc::current());
  void texpands(const Tile& dst, const Reg& scalar, Loc loc = Loc::current());
  void tci(const Tile& dst, std::int32_t start, Loc loc = Loc::current());
  void tcvt(const Tile& dst, const Tile& src, RoundMode mode, Loc loc = Loc::current());
  void tfillpad(const Tile& tile, Loc loc = Loc::current());
  void tgather_mask(const Tile& dst, const Tile& src, std::uint8_t pattern, Loc loc = Loc::current());
  void tmrgsort(const Tile& dst, const Tile& src, std::uint32_t run, Loc loc = Loc::current());

  /// Ends the program: drains the rings, halts. The part cannot be used afterwards.
  [[nodiscard]] Program finish();

 private:
  /// The id that sync() uses; rings take those below.
  [[nodiscard]] std::uint32_t sync_flag() const { return std::min(7U, arch_.flags_per_pair - 1); }

  friend class Reg;
  friend class Ring;
  friend class GmTensor;
  friend Reg scalar_op(Opcode op, const Reg& a, const Value& b);

  [[nodiscard]] Reg fresh();
  [[nodiscard]] Reg materialise(const Value& v);
  std::size_t emit(const Instruction& ins, const Loc& loc);
  std::uint16_t use(const Tile& t);
  std::uint16_t use(const Gm& g);
  [[nodiscard]] std::uint32_t allocate(Space space, std::uint64_t bytes, const std::string& name);
  [[nodiscard]] std::uint32_t take_flags(Pipe from, Pipe to, std::uint32_t count);
  void branch_unless(const Condition& c, std::size_t& patch);
  void patch_target(std::size_t branch, std::size_t target);
  void emit_vector(Instruction ins, std::initializer_list<const Tile*> tiles, const Loc& loc);
  void settle_vector(const Loc& loc);

  const ArchSpec& arch_;
  Program program_;
  std::uint32_t free_registers_ = 0xfffffffeU;  ///< bit i: register i is free; r0 is never free
  std::array<std::uint32_t, kSpaceCount> used_{};
  std::vector<Allocation> allocations_;
  std::array<std::array<std::uint32_t, kPipeCount>, kPipeCount> next_flag_{};
  std::vector<std::unique_ptr<Ring>> rings_;
  bool orders_vector_ = true;  ///< false in back_to_back()
  struct Range {
    std::uint32_t begin = 0, end = 0;
  } unsettled_;  ///< what the vector pipe may still be writing in UB; empty after a barrier
};

}  // namespace npu::isa
