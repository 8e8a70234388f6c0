#include "model/core/pipe_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace npu::model {
namespace {

template <std::size_t... I>
std::array<CorePipe, isa::kPipeCount> make_pipes(const CoreContext& core, std::index_sequence<I...>) {
  return {CorePipe{static_cast<isa::Pipe>(I), core}...};
}

}  // namespace

PipeSet::PipeSet(const CoreContext& core)
    : core_{core},
      flags_{core.env.machine.arch.flags_per_pair},
      pipes_{make_pipes(core, std::make_index_sequence<isa::kPipeCount>{})} {
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
    const auto name = static_cast<isa::Pipe>(p);
    if (name != isa::Pipe::S && core.env.machine.arch.has_pipe(core.where.kind, name)) queued_.push_back(name);
  }
}

void PipeSet::begin_block(std::uint64_t time) {
  for (CorePipe& pipe : pipes_) pipe.begin_block(time);
}

void PipeSet::set_flag(isa::Pipe from, isa::Pipe to, std::uint32_t id, std::uint64_t time, std::uint32_t instruction) {
  const std::uint64_t before = flags_.set_at(from, to, id);
  if (before != kNever) {
    core_.fail(instruction,
               fmt::format("flag {} from {} to {} is set already (cycle {}): a flag is binary, wait for it first", id,
                           isa::name_of(from), isa::name_of(to), before));
  }
  flags_.set(from, to, id, time);
  if (to != isa::Pipe::S) find_start(to);
}

bool PipeSet::idle() const {
  return std::all_of(queued_.begin(), queued_.end(), [this](isa::Pipe p) { return (*this)[p].idle(); });
}

std::uint64_t PipeSet::idle_since(std::uint64_t time) const {
  for (const isa::Pipe p : queued_) time = std::max({time, (*this)[p].last_retirement(), (*this)[p].free_at()});
  return time;
}

std::uint64_t PipeSet::horizon() const {
  std::uint64_t earliest = kNever;
  for (const isa::Pipe p : queued_) {
    if ((*this)[p].transferring()) earliest = std::min(earliest, (*this)[p].earliest_transfer_end());
  }
  return earliest;
}

bool PipeSet::any_transferring() const {
  return std::any_of(queued_.begin(), queued_.end(), [this](isa::Pipe p) { return (*this)[p].transferring(); });
}

}  // namespace npu::model
