#include "model/trace_observer.hpp"

#include <fmt/format.h>

#include <utility>

#include "isa/instructions/instruction_table.hpp"
#include "model/core/block.hpp"
#include "model/core/notify_board.hpp"

namespace npu::model {

using traces::Detail;
using traces::SpanKind;
using traces::TrackKind;

namespace {

constexpr double kShortestSampleNs = 250;

}  // namespace

TraceObserver::TraceObserver(traces::Sink& sink, const Params& params)
    : sink_{sink}, shortest_sample_{cycles_of_ns(params, kShortestSampleNs)} {
  constexpr std::array<std::string_view, 3> kWorkNames{"poll", "resolve", "dispatch"};
  for (std::size_t i = 0; i < kWorkNames.size(); ++i) work_names_[i] = sink.intern(kWorkNames[i]);
  for (const isa::OpInfo& row : isa::instruction_table())
    op_names_[isa::index_of(row.opcode)] = sink.intern(row.mnemonic);
  wait_name_ = sink.intern("wait");
}

// ---- host, orchestrators, schedulers -----------------------------------------------------------------------------

void TraceObserver::host_added() {
  host_[0] = sink_.add_track({TrackKind::Host, "host", 0});
  host_[1] = sink_.add_track({TrackKind::Host, "host.download", 0});
}

void TraceObserver::card_added(std::uint32_t card, std::uint32_t scheduler_threads) {
  cards_.resize(card + 1);
  CardTracks& tracks = cards_[card];
  tracks.card = sink_.add_track({TrackKind::Card, fmt::format("card{}", card), card});
  tracks.orchestrator = sink_.add_track({TrackKind::Orchestrator, fmt::format("card{}.orch", card), card});
  for (std::uint32_t i = 0; i < scheduler_threads; ++i) {
    tracks.threads.push_back(sink_.add_track({TrackKind::Scheduler, fmt::format("card{}.sched{}", card, i), card}));
  }
  tracks.busy_cores.name = sink_.intern("busy cores");
  tracks.ready_tasks.name = sink_.intern("ready tasks");
}

void TraceObserver::host_worked(HostQueue queue, std::string_view what, Cycles begin, Cycles end) {
  sink_.span(host_[static_cast<std::size_t>(queue)], SpanKind::Work, sink_.intern(what), begin, end, Detail::kNoValue);
}

void TraceObserver::task_submitted(std::uint32_t card, std::uint32_t task, std::string_view name, Cycles begin,
                                   Cycles end) {
  Detail detail{Detail::kNoValue};
  detail.task = task;
  sink_.span(cards_[card].orchestrator, SpanKind::Work, sink_.intern(name), begin, end, detail);
}

void TraceObserver::dependency_met(const CoreLocation& from, Cycles end, const CoreLocation& to, Cycles at) {
  sink_.flow(traces::FlowKind::TaskDependency, tracks_of(from).core, end, tracks_of(to).core, at);
}

void TraceObserver::thread_worked(const ThreadWork& work, Cycles begin, Cycles end) {
  Detail detail{work.block ? *work.block : Detail::kNoValue};
  detail.task = work.task;
  detail.subject = sink_.intern(work.task_name);
  if (work.core) detail.core = tracks_of(*work.core).core;
  sink_.span(cards_[work.card].threads[work.thread], SpanKind::Work, work_names_[static_cast<std::size_t>(work.work)],
             begin, end, detail);
}

void TraceObserver::card_loaded(std::uint32_t card, Cycles at, std::uint32_t busy_cores, std::uint64_t ready_tasks) {
  CardTracks& tracks = cards_[card];
  sample(tracks, tracks.busy_cores, at, busy_cores);
  sample(tracks, tracks.ready_tasks, at, ready_tasks);
}

void TraceObserver::card_ended(std::uint32_t card, Cycles) {
  CardTracks& tracks = cards_[card];
  show(tracks, tracks.busy_cores);
  show(tracks, tracks.ready_tasks);
}

void TraceObserver::sample(const CardTracks& card, Counter& counter, Cycles at, std::uint64_t value) {
  if (value == counter.value) return;
  if (isa::elapsed(counter.since, at) >= shortest_sample_) show(card, counter);
  counter.value = value;
  counter.since = at;
}

void TraceObserver::show(const CardTracks& card, Counter& counter) {
  if (std::exchange(counter.shown, counter.value) == counter.value) return;
  sink_.counter(card.card, counter.name, counter.since, counter.value);
}

// ---- cores -------------------------------------------------------------------------------------------------------

void TraceObserver::core_added(const CoreLocation& core, const isa::ArchSpec& arch) {
  std::vector<CoreTracks>& cores = cards_[core.card].cores;
  if (cores.size() <= core.index) cores.resize(core.index + 1);
  CoreTracks& tracks = cores[core.index];
  const std::string name = track_name(core);
  tracks.core = sink_.add_track({TrackKind::Core, name, core.card});
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
    if (!arch.has_pipe(core.kind, static_cast<isa::Pipe>(p))) continue;
    tracks.pipes[p] = sink_.add_track({TrackKind::Pipe, fmt::format("{}.{}", name, isa::kPipeNames[p]), core.card});
  }
}

void TraceObserver::block_started(const CoreLocation& core, const Block& block, Cycles) {
  CoreTracks& tracks = tracks_of(core);
  tracks.kernel = sink_.intern(block.program->name);
  tracks.block = block.name.empty() ? tracks.kernel : sink_.intern(block.name);
}

void TraceObserver::block_ended(const CoreLocation& core, const Block& block, Cycles begin, Cycles end) {
  const CoreTracks& tracks = tracks_of(core);
  Detail detail{block.block};
  detail.task = block.task;
  detail.subject = tracks.kernel;
  sink_.span(tracks.core, SpanKind::Task, tracks.block, begin, end, detail);
}

void TraceObserver::operation_occupied(const CoreLocation& core, const isa::Operation& op, Cycles begin, Cycles end) {
  sink_.span(tracks_of(core).pipes[isa::index_of(op.pipe)], SpanKind::Instruction, op_names_[isa::index_of(op.opcode)],
             begin, end, op.index);
}

void TraceObserver::pipe_waited(const CoreLocation& core, isa::Pipe pipe, WaitReason reason, Cycles begin, Cycles end) {
  const CoreTracks& tracks = tracks_of(core);
  Detail detail{static_cast<std::uint64_t>(reason)};
  if (reason == WaitReason::Notify) {
    detail.subject = tracks.awaited;
    detail.core = tracks.sender;
  }
  sink_.span(tracks.pipes[isa::index_of(pipe)], SpanKind::Wait, wait_name_, begin, end, detail);
}

void TraceObserver::cell_awaited(const CoreLocation& core, const CellWait& wait, Cycles) {
  CoreTracks& tracks = tracks_of(core);
  tracks.awaited = sink_.intern(fmt::format("cell {:#x} of {} {} {}", wait.cell, wait.tensor,
                                            isa::kCompareModeNames[static_cast<std::size_t>(wait.mode)], wait.value));
  tracks.sender = wait.by == nullptr ? traces::TrackId{Detail::kNone} : tracks_of(wait.by->sender).core;
}

void TraceObserver::wait_passed(const CoreLocation& core, std::uint64_t, const Notify* by, Cycles at) {
  if (by == nullptr) return;
  sink_.flow(traces::FlowKind::NotifyToWait, tracks_of(by->sender).core, Cycles{by->sent}, tracks_of(core).core, at);
}

}  // namespace npu::model
