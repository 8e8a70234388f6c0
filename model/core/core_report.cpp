// What a core says about itself: its waits, how far it is, and what is left when a run ends early.
#include <fmt/format.h>

#include <algorithm>

#include "isa/text/disassembler.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Pipe;

bool Core::goes_on() const {
  if (scalar_.stores_done() > context_.env.clock.now()) return true;
  return running_ && (next_event().time != kNever || pipes_.any_transferring());
}

std::uint64_t Core::latest() const {
  if (!running_) return 0;
  std::uint64_t latest = scalar_.time();
  for (const Pipe p : pipes_.queued()) latest = std::max(latest, pipes_[p].free_at());
  return latest;
}

std::uint64_t Core::retired() const { return retired_ + pipes_[Pipe::S].stats().instructions; }

BlockStats Core::block_stats(std::uint64_t end) const {
  BlockStats stats{
      .begin = begin_, .end = end, .pipes = {}, .read = isa::Bytes{bytes_read_}, .written = isa::Bytes{bytes_written_}};
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) stats.pipes[p] = pipes_[static_cast<Pipe>(p)].stats();
  return stats;
}

std::optional<BlockStats> Core::cut_off(std::uint64_t cycle) {
  if (!running_) return std::nullopt;
  const std::uint64_t end = std::max(cycle, latest());
  scalar_.cut_off(end);
  for (const Pipe p : pipes_.queued()) pipes_[p].cut_off(end);
  running_ = false;
  context_.tell([&](Observer& o) { o.block_ended(context_.where, context_.block, Cycles{begin_}, Cycles{end}); });
  return block_stats(end);
}

std::string Core::pipe_wait(Pipe name) const {
  const isa::Operation& front = pipes_[name].front();
  if (pipes_[name].transferring()) return "moves data";
  if (front.opcode == Opcode::WaitFlag) {
    return fmt::format("waits for flag {} from {}", front.flag, isa::name_of(front.flag_from));
  }
  if (front.opcode == Opcode::PipeBarrier) return "waits until earlier instructions have finished";
  return "goes on by itself";
}

void Core::describe_waits(std::vector<WaitRow>& rows) const {
  if (!running_) return;
  const Block& block = context_.block;
  const auto add = [&](Pipe pipe, std::uint32_t instruction, std::uint64_t since, const std::string& what) {
    rows.push_back({.unit = fmt::format("{}.{}", track_name(context_.where), isa::name_of(pipe)),
                    .what = fmt::format("{} (kernel {}, {})", what, block.program->name,
                                        isa::instruction_text(*block.program, instruction)),
                    .since = since,
                    .block = block.block});
  };
  add(Pipe::S, source_->instruction(), scalar_.waits_since(), scalar_.wait_text());
  for (const Pipe p : pipes_.queued()) {
    const CorePipe& pipe = pipes_[p];
    if (!pipe.waiting()) continue;
    add(p, pipe.front().index, pipe.transferring() ? pipe.transfer_begin() : pipe.free_at(), pipe_wait(p));
  }
}

}  // namespace npu::model
