#include "model/system/card.hpp"

#include <fmt/format.h>

#include "isa/errors.hpp"

namespace npu::model {

Card::Card(Environment env, std::uint32_t index, const SchedulerCosts& costs, const GraphLimits& limits,
           const CoreFactory& factory, ReadWord read_word)
    : env_{env},
      index_{index},
      graph_{limits},
      scheduler_{fmt::format("card{}_sched", index).c_str(), env, index, costs, graph_, factory},
      orchestrator_{fmt::format("card{}_orch", index).c_str(), env, index, graph_, scheduler_, std::move(read_word)},
      done_{fmt::format("card{}_done", index).c_str()} {
  scheduler_.on_task_completed([this] { finish_if_done(); });
  orchestrator_.on_finished([this] { finish_if_done(); });
}

void Card::launch(CardProgram program) {
  NPU_ASSERT(!busy_, "a card runs one program at a time");
  busy_ = true;
  begin_ = env_.clock.now();
  graph_.clear();
  scheduler_.begin_run();
  orchestrator_.launch(std::move(program));
}

void Card::finish_if_done() {
  if (!busy_ || orchestrator_.running() || graph_.live() > 0) return;
  busy_ = false;
  end_ = env_.clock.now();
  scheduler_.end_run();
  done_.notify(sc_core::SC_ZERO_TIME);
}

CardStats Card::stats() const {
  CardStats s;
  s.begin = begin_;
  s.end = end_;
  s.orch_busy = orchestrator_.busy();
  s.orch_end = orchestrator_.end();
  for (const SchedulerThreadStats& t : scheduler_.thread_stats()) s.sched_busy += t.busy;
  s.elapsed_core_cycles = (end_ - begin_) * scheduler_.core_count();
  return s;
}

void Card::describe_waits(std::vector<WaitRow>& rows) const {
  orchestrator_.describe_waits(rows);
  scheduler_.describe_waits(rows);
}

void Card::cut_off(std::uint64_t cycle) {
  if (!busy_) return;
  end_ = cycle;
  orchestrator_.cut_off(cycle);
  scheduler_.cut_off(cycle);
}

std::string_view Card::stall_class() const {
  if (!busy_) return {};
  if (scheduler_.any_block_runs()) return "S1 running-stalled";
  if (scheduler_.any_task_ready()) return "S3 ready-but-all-idle";
  if (graph_.live() > 0) return "S4 dependency-deadlock";
  return "S5 orchestrator-starvation";
}

}  // namespace npu::model
