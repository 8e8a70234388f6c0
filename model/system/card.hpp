// One card: its task graph, scheduler threads with the cores they own, and orchestrator thread.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "model/environment.hpp"
#include "model/system/orchestrator.hpp"
#include "model/system/scheduler.hpp"
#include "model/system/task_graph.hpp"

namespace npu::model {

class Card {
 public:
  Card(Environment env, std::uint32_t index, const SchedulerCosts& costs, const GraphLimits& limits,
       const CoreFactory& factory, ReadWord read_word);

  /// Starts the program now. Requires that the card is idle.
  void launch(CardProgram program);
  [[nodiscard]] bool busy() const { return busy_; }
  /// Notified when a launched program has returned and all its tasks have completed.
  [[nodiscard]] const sc_core::sc_event& done() const { return done_; }

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  /// Of the latest run; memory traffic is left zero.
  [[nodiscard]] CardStats stats() const;
  [[nodiscard]] std::uint64_t progress() const { return scheduler_.progress(); }
  /// Something is under way that will end by itself, however slow the machine is.
  [[nodiscard]] bool goes_on() const { return orchestrator_.goes_on() || scheduler_.goes_on(); }
  [[nodiscard]] std::size_t tasks_done() const { return graph_.size() - graph_.live(); }
  void describe_waits(std::vector<WaitRow>& rows) const;
  /// The cycle up to which the furthest core has simulated.
  [[nodiscard]] std::uint64_t latest() const { return scheduler_.latest(); }
  /// The run ends early, at `cycle`: closes what is open. Nothing follows.
  void cut_off(std::uint64_t cycle);
  /// Sub-class of a scheduler timeout: "S1 running-stalled", ... (runtime.md section 1.6); empty when idle.
  [[nodiscard]] std::string_view stall_class() const;

 private:
  void finish_if_done();

  Environment env_;
  std::uint32_t index_;
  TaskGraph graph_;
  Scheduler scheduler_;
  Orchestrator orchestrator_;
  sc_core::sc_event done_;
  bool busy_ = false;
  std::uint64_t begin_ = 0, end_ = 0;
};

}  // namespace npu::model
