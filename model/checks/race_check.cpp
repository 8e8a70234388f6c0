#include "model/checks/race_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "isa/instructions/instruction_table.hpp"

namespace npu::model {

using isa::Access;
using isa::AccessKind;
using isa::Operation;
using isa::Pipe;
using isa::Place;

namespace {

/// An access in the past. A later one of the same pipe to the same bytes stands for it: whoever is ordered behind the
/// later one is ordered behind both.
struct Past {
  Access access;
  Pipe pipe;
  std::uint32_t number;  ///< of its pipe (CoreOrder)
  std::uint32_t instruction;
};

const char* verb(bool writes) { return writes ? "writes" : "reads"; }

/// Whether a line of one shares a byte with a line of the other; their extents do.
bool shares_line(const Access& a, const Access& b) {
  for (std::uint32_t i = 0; i < a.lines; ++i) {
    const std::uint64_t begin = a.begin + i * static_cast<std::uint64_t>(a.pitch), end = begin + a.line_bytes;
    if (b.pitch <= 0 || b.lines == 1) {
      if (begin < b.begin + b.line_bytes && b.begin < end) return true;
      continue;
    }
    const auto pitch = static_cast<std::uint64_t>(b.pitch);
    const std::uint64_t first = begin < b.begin + b.line_bytes ? 0 : (begin - b.begin - b.line_bytes) / pitch + 1;
    if (first < b.lines && b.begin + first * pitch < end) return true;
  }
  return false;
}

constexpr std::size_t kTidyFrom = 96;     ///< accesses of a place, from which those that all pipes know of go
constexpr std::size_t kMostKept = 4'096;  ///< beyond, the oldest are taken as ordered

}  // namespace

struct RaceCheck::CoreState {
  CoreState(Findings& f, const CoreLocation& core, const isa::ArchSpec& arch)
      : findings{f}, where{core}, order{arch.flags_per_pair} {
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      if (arch.has_pipe(core.kind, static_cast<Pipe>(p))) pipes.push_back(static_cast<Pipe>(p));
    }
  }

  void begin_block() {
    order.begin_block();
    for (auto& place : places) place.clear();
    vector_before = vector_last = 0;
  }

  /// Compares the operation with what was before it, and keeps it.
  void look(const Operation& op, Pipe pipe, std::uint32_t number, std::uint64_t cycle) {
    for (const Access& access : op.touched()) {
      if (access.empty() || (access.place == Place::Gm && op.transfer() == nullptr)) continue;
      std::vector<Past>& pasts = places[isa::index_of(access.place)];
      Past* same = nullptr;
      for (Past& past : pasts) {
        if (past.pipe == pipe && past.access == access) same = &past;
        if (races(past, access, pipe, number))
          report(op, access, past.pipe, past.instruction, isa::writes(past.access.kind), pipe, cycle);
      }
      if (same != nullptr) {
        same->number = number;
        same->instruction = op.index;
      } else {
        keep(pasts, {access, pipe, number, op.index});
      }
    }
  }

  [[nodiscard]] bool races(const Past& past, const Access& access, Pipe pipe, std::uint32_t number) const {
    if (past.number == number && past.pipe == pipe) return false;  // an instruction does not race with itself
    const bool past_writes = isa::writes(past.access.kind);
    if (!past_writes && !isa::writes(access.kind)) return false;
    if (!isa::overlap(past.access, access)) return false;
    if (past.access.kind == AccessKind::Add && access.kind == AccessKind::Add) return false;
    if (past.pipe == pipe) {
      const bool reads_last_result =
          pipe == Pipe::V && past_writes && isa::reads(access.kind) && past.number == vector_before;
      if (!reads_last_result) return false;
    }
    return !order.complete(past.pipe, past.number, pipe) && shares_line(access, past.access);
  }

  void keep(std::vector<Past>& pasts, const Past& past) const {
    if (pasts.size() >= kTidyFrom) {
      std::erase_if(pasts, [&](const Past& p) {
        return std::all_of(pipes.begin(), pipes.end(), [&](Pipe other) {
          return other == p.pipe ? p.number != vector_last || p.pipe != Pipe::V
                                 : order.complete(p.pipe, p.number, other);
        });
      });
    }
    if (pasts.size() >= kMostKept) pasts.erase(pasts.begin(), pasts.begin() + kMostKept / 2);
    pasts.push_back(past);
  }

  void report(const Operation& op, const Access& access, Pipe other, std::uint32_t other_instruction, bool other_writes,
              Pipe pipe, std::uint64_t cycle) {
    findings.add({"race", op.program, op.index, other_instruction}, [&] {
      Finding f;
      f.check = "race";
      f.message =
          fmt::format("{} {} bytes {:#x} to {:#x} of {}, which {} {} too; no flag or barrier orders them",
                      isa::name_of(pipe), verb(isa::writes(access.kind)), access.begin, access.begin + access.extent(),
                      isa::name_of(access.place), isa::name_of(other), verb(other_writes));
      f.remedy = remedy(other, pipe);
      f.here = place_of(where, *op.program, op.index, cycle);
      f.other = place_of(where, *op.program, other_instruction, 0);
      return f;
    });
  }

  static std::string remedy(Pipe other, Pipe pipe) {
    if (other == pipe) return fmt::format("pipe_barrier {} between them", isa::name_of(pipe));
    return fmt::format("set_flag {0}, {1} after the other access, wait_flag {0}, {1} before this one",
                       isa::name_of(other), isa::name_of(pipe));
  }

  Findings& findings;
  CoreLocation where;
  CoreOrder order;
  std::vector<Pipe> pipes;                           ///< that the core has
  std::uint32_t vector_before = 0, vector_last = 0;  ///< numbers of the last two vector instructions
  std::array<std::vector<Past>, isa::kPlaceCount> places;
};

RaceCheck::RaceCheck(Findings& findings) : findings_{findings} {}
RaceCheck::~RaceCheck() = default;

RaceCheck::CoreState& RaceCheck::state_of(const CoreLocation& core) { return *cores_[core.card][core.index]; }

void RaceCheck::core_added(const CoreLocation& core, const isa::ArchSpec& arch) {
  if (cores_.size() <= core.card) cores_.resize(core.card + 1);
  auto& card = cores_[core.card];
  if (card.size() <= core.index) card.resize(core.index + 1);
  card[core.index] = std::make_unique<CoreState>(findings_, core, arch);
}

void RaceCheck::block_started(const CoreLocation& core, const Block&, Cycles) {
  CoreState& state = state_of(core);
  state.begin_block();
}

void RaceCheck::operation_issued(const CoreLocation& core, const Operation& op, Cycles) {
  state_of(core).order.issued(op);
}

void RaceCheck::operation_started(const CoreLocation& core, const Operation& op, Cycles at) {
  CoreState& state = state_of(core);
  const std::uint32_t number = state.order.started(op);
  if (isa::op_info(op.opcode).op_class == isa::OpClass::Sync) return;
  if (op.pipe == Pipe::V) state.vector_before = std::exchange(state.vector_last, number);
  state.look(op, op.pipe, number, at.count());
}

void RaceCheck::scalar_accessed(const CoreLocation& core, const Operation& op, Cycles at) {
  CoreState& state = state_of(core);
  state.look(op, Pipe::S, state.order.scalar_step(), at.count());
}

}  // namespace npu::model
