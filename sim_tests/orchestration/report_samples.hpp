// Reports whose figures can be computed by hand.
#pragma once

#include "orchestration/report/summary.hpp"

namespace npu::orch::test {

/// A vector task of one core on a card: V is busy for `busy` cycles, the rest V waits for a flag and the scalar unit
/// for V's queue, or the scalar unit waits for another card.
struct SampleTask {
  std::string name;
  std::uint32_t card = 0;
  std::uint64_t begin = 0, end = 0, busy = 0;
  bool waits_for_card = false;
};

[[nodiscard]] inline model::TaskStats vector_task(const SampleTask& sample) {
  const auto index = [](auto x) { return static_cast<std::size_t>(x); };
  model::TaskStats task;
  task.name = sample.name;
  task.card = sample.card;
  task.blocks = 1;
  task.begin = sample.begin;
  task.end = sample.end;
  task.core_cycles = task.max_core_cycles = sample.end - sample.begin;
  task.cores = {0, 1};
  const std::uint64_t rest = task.core_cycles - sample.busy;
  auto& pipes = task.pipes[index(isa::CoreKind::AIV)];
  model::PipeStats &v = pipes[index(isa::Pipe::V)], &s = pipes[index(isa::Pipe::S)];
  v.busy = sample.busy;
  v.instructions = s.instructions = 1;
  if (sample.waits_for_card) {
    s.busy = sample.busy;
    s.wait[index(traces::WaitReason::Notify)] = rest;
    v.wait[index(traces::WaitReason::Instruction)] = rest;
  } else {
    s.wait[index(traces::WaitReason::QueueFull)] = task.core_cycles;
    v.wait[index(traces::WaitReason::Flag)] = rest;
  }
  return task;
}

/// Cards that are launched at cycle 100 and end with the last of the tasks.
[[nodiscard]] inline RunReport report_of(const model::Machine& machine, std::uint32_t cards,
                                         const std::vector<SampleTask>& tasks) {
  RunReport report;
  report.machine = &machine;
  report.stats.cards.resize(cards);
  for (model::CardStats& card : report.stats.cards) card.begin = card.end = 100;
  for (const SampleTask& sample : tasks) {
    model::CardStats& card = report.stats.cards[sample.card];
    card.end = std::max(card.end, sample.end);
    report.stats.tasks.push_back(vector_task(sample));
  }
  return report;
}

}  // namespace npu::orch::test
