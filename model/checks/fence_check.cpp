#include "model/checks/fence_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/core/block.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Operation;
using isa::Pipe;

void FenceCheck::core_added(const CoreLocation& core, const isa::ArchSpec& arch) {
  if (cores_.size() <= core.card) cores_.resize(core.card + 1);
  auto& card = cores_[core.card];
  if (card.size() <= core.index) card.resize(core.index + 1);
  card[core.index] = std::make_unique<CoreState>(arch.flags_per_pair);
}

void FenceCheck::block_started(const CoreLocation& core, const Block&, Cycles) {
  CoreState& state = state_of(core);
  state.order.begin_block();
  state.stores.clear();
  state.written_back = 0;
}

void FenceCheck::operation_issued(const CoreLocation& core, const Operation& op, Cycles) {
  CoreState& state = state_of(core);
  state.order.issued(op);
  const isa::Access* gm = op.transfer();
  if (gm != nullptr && isa::writes(gm->kind)) state.stores.push_back({op.pipe, 0, op.index});
}

void FenceCheck::operation_started(const CoreLocation& core, const Operation& op, Cycles) {
  CoreState& state = state_of(core);
  const std::uint32_t number = state.order.started(op);
  const isa::Access* gm = op.transfer();
  if (gm == nullptr || !isa::writes(gm->kind)) return;
  const auto waiting = std::find_if(state.stores.begin(), state.stores.end(),
                                    [&](const Store& s) { return s.number == 0 && s.pipe == op.pipe; });
  waiting->number = number;
}

void FenceCheck::scalar_accessed(const CoreLocation& core, const Operation& op, Cycles at) {
  if (op.opcode != Opcode::TNotify) return;
  CoreState& state = state_of(core);
  std::erase_if(state.stores,
                [&](const Store& s) { return s.number != 0 && state.order.complete(s.pipe, s.number, Pipe::S); });
  for (const Store& store : state.stores) {
    findings_.add({"fence", op.program, op.index, store.instruction}, [&] {
      Finding f;
      f.check = "fence";
      f.message =
          fmt::format("the notify may arrive before what {} stores: the scalar unit has waited for nothing behind it",
                      isa::name_of(store.pipe));
      f.remedy =
          fmt::format("set_flag {0}, s after the store and wait_flag {0}, s before the notify, or pipe_barrier all",
                      isa::name_of(store.pipe));
      f.here = place_of(core, *op.program, op.index, at.count());
      f.other = place_of(core, *op.program, store.instruction, 0);
      return f;
    });
  }
  if (state.written_back == 0) return;
  findings_.add({"fence", op.program, op.index, op.index}, [&] {
    Finding f;
    f.check = "fence";
    f.message = "the notify may arrive before lines that the data cache has written back";
    f.remedy = "dsb between dcci and the notify";
    f.here = place_of(core, *op.program, op.index, at.count());
    return f;
  });
}

void FenceCheck::line_written_back(const CoreLocation& core, std::uint64_t, Cycles) { ++state_of(core).written_back; }

void FenceCheck::stores_drained(const CoreLocation& core, Cycles) { state_of(core).written_back = 0; }

}  // namespace npu::model
