// Timing mode: which instructions compute, and what happens to values that nobody computed.
//
// An instruction's time depends on its operands' shapes, places and types, and on when it issues, never on the numbers
// in a tile. What can steer a program are integers: positions, slots, counts, expert ids, page tables, index lists. So
// an instruction computes if and only if all its operands are integers of 16 bits or more (int8 is quantised data) and
// none of its sources comes from an instruction that was skipped; every other instruction takes its time, and what it
// would have written is marked as unknown. By induction everything that is known equals what timed mode computes from
// the same inputs. What becomes of scalar registers that are loaded from unknown bytes: register_values.hpp.
#include "model/core/execution.hpp"

#include <vector>

#include "isa/instructions/instruction_table.hpp"
#include "model/memory/unknown_bytes.hpp"

namespace npu::model {
namespace {

using isa::Access;
using isa::Operation;
using isa::Place;

class ExactExecution final : public Execution {
 public:
  ExactExecution(const CoreContext& core, const LocalMemory& local) : core_{core}, local_{local} {}

  void retire(const Operation& op) override {
    const isa::Operands operands = operands_of(op, local_, core_.services.memory);
    const bool moves = isa::op_info(op.opcode).op_class == isa::OpClass::Mover;
    const ActivityScope scope{core_.services.activity, moves ? Activity::Copies : Activity::Arithmetic};
    isa::execute(op.ins(), operands);
  }
  bool has_value(const Access&) const override { return true; }
  void element_stored(const Access&, bool) override {}

 private:
  const CoreContext& core_;
  const LocalMemory& local_;
};

/// Calls f(begin, end) for the bytes of each line.
template <class F>
void for_lines(const Access& access, F&& f) {
  std::uint64_t begin = access.begin;
  for (std::uint32_t i = 0; i < access.lines; ++i, begin += static_cast<std::uint64_t>(access.pitch))
    f(begin, begin + access.line_bytes);
}

class TimingExecution final : public Execution {
 public:
  TimingExecution(const CoreContext& core, const LocalMemory& local) : core_{core}, local_{local} {}

  void retire(const Operation& op) override {
    const Access* gm = op.transfer();
    if (gm != nullptr && isa::writes(gm->kind) && memory().is_given(gm->begin, gm->line_bytes)) return;
    const bool known = computes(op);
    if (known) isa::execute(op.ins(), operands_of(op, local_, memory()));
    for (const Access& access : op.touched()) {
      if (isa::writes(access.kind)) mark(access, known);
    }
  }

  bool has_value(const Access& access) const override { return is_control_type(access.dtype) && is_known(access); }
  void element_stored(const Access& access, bool has_value) override { mark(access, has_value); }

 private:
  [[nodiscard]] MemorySystem& memory() const { return core_.services.memory; }

  [[nodiscard]] bool computes(const Operation& op) const {
    for (const Access& access : op.touched()) {
      if (!is_control_type(access.dtype)) return false;
    }
    for (const Access& access : op.touched()) {
      if (isa::reads(access.kind) && !is_known(access)) return false;
    }
    return true;
  }

  /// None of the bytes comes from an instruction that was skipped.
  [[nodiscard]] bool is_known(const Access& access) const {
    bool known = true;
    for_lines(access, [&](std::uint64_t begin, std::uint64_t end) {
      known = known && (access.place == Place::Gm ? !memory().is_unknown(begin, end - begin)
                                                  : !unknown_[isa::index_of(access.place)].any(begin, end));
    });
    return known;
  }

  /// Skipped results are marked by their bounding range: what lies between the lines of a tile or of a tensor's part
  /// belongs to the same tile or tensor.
  void mark(const Access& access, bool known) {
    if (access.empty()) return;
    const bool in_gm = access.place == Place::Gm;
    if (!known && in_gm) {
      memory().mark_unknown(access.begin, access.extent());
    } else if (!known) {
      unknown_[isa::index_of(access.place)].mark(access.begin, access.begin + access.extent());
    } else if (access.kind != isa::AccessKind::Add) {
      for_lines(access, [&](std::uint64_t begin, std::uint64_t end) {
        in_gm ? memory().clear_unknown(begin, end - begin) : unknown_[isa::index_of(access.place)].clear(begin, end);
      });
    }
  }

  const CoreContext& core_;
  const LocalMemory& local_;
  std::vector<UnknownBytes> unknown_ = std::vector(isa::kSpaceCount, UnknownBytes{2});  ///< by words of 4 bytes
};

}  // namespace

std::unique_ptr<Execution> make_execution(const CoreContext& core, const LocalMemory& local) {
  if (core.services.mode == Mode::Timing) return std::make_unique<TimingExecution>(core, local);
  return std::make_unique<ExactExecution>(core, local);
}

}  // namespace npu::model
