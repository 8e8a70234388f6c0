// The orchestrator thread of a card (AICPU): runs the card's program, which builds the task graph while the scheduler
// threads execute it.
//
// Modelled: a fixed cost per submit, back-pressure of the task window, blocking reads of values that tasks produce.
// Not modelled: the cost of the program's own control flow, output heap, scopes, the serial build-then-schedule mode.
// Source: runtime.md section 1.5, machine.md section 7.2.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <systemc>

#include "model/device.hpp"
#include "model/environment.hpp"
#include "model/system/scheduler.hpp"
#include "model/system/task_graph.hpp"
#include "model/system/wait_table.hpp"

namespace npu::model {

/// Reads an int32 of global memory. Throws ProgramError when the address is not in an allocation.
using ReadWord = std::function<std::int32_t(GmAddress)>;

class Orchestrator final : public sc_core::sc_module, private OrchestratorApi {
 public:
  /// `graph` and `scheduler` are the card's and outlive the orchestrator.
  Orchestrator(const sc_core::sc_module_name& name, Environment env, std::uint32_t card, TaskGraph& graph,
               Scheduler& scheduler, ReadWord read_word);

  /// Runs the program from now on.
  void launch(CardProgram program);
  void on_finished(std::function<void()> listener) { listener_ = std::move(listener); }

  [[nodiscard]] bool running() const { return program_.has_value(); }
  [[nodiscard]] bool goes_on() const { return submitting_ != nullptr; }  ///< a submit is under way
  [[nodiscard]] std::uint64_t busy() const { return busy_; }             ///< cycles of the run
  [[nodiscard]] std::uint64_t end() const { return end_; }               ///< cycle at which the program returned
  /// Appends a row while the program is blocked.
  void describe_waits(std::vector<WaitRow>& rows) const;
  /// The run ends early, at `cycle`: records the submit that is under way. Nothing follows.
  void cut_off(std::uint64_t cycle);

 private:
  enum class Blocked : std::uint8_t { No, Window, Read };

  TaskId submit(const TaskSpec& task) override;
  std::int32_t read_i32(GmAddress address) override;
  [[nodiscard]] std::uint32_t card() const override { return card_; }

  void run_programs();  // SC_THREAD
  void block(Blocked reason);
  void end_submit(std::uint64_t cycle);

  Environment env_;
  std::uint32_t card_;
  TaskGraph& graph_;
  Scheduler& scheduler_;
  ReadWord read_word_;
  std::function<void()> listener_;
  std::optional<CardProgram> program_;  ///< present from launch until it has returned
  sc_core::sc_event launched_{"launched"};
  Blocked blocked_ = Blocked::No;
  const TaskSpec* submitting_ = nullptr;
  std::uint64_t submit_since_ = 0;
  GmAddress read_address_{};
  std::uint64_t blocked_since_ = 0;
  std::uint64_t busy_ = 0, end_ = 0;
  std::uint64_t submit_cycles_;
};

}  // namespace npu::model
