// The listener that writes the timeline: what happens in the model as spans, arrows and counters of a trace sink.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/config/machine.hpp"
#include "model/observer.hpp"
#include "traces/sink.hpp"

namespace npu::model {

class TraceObserver final : public Observer {
 public:
  /// The sink outlives the observer.
  TraceObserver(traces::Sink& sink, const Params& params);

  void host_added() override;
  void card_added(std::uint32_t card, std::uint32_t scheduler_threads) override;
  void host_worked(HostQueue queue, std::string_view what, Cycles begin, Cycles end) override;
  void task_submitted(std::uint32_t card, std::uint32_t task, std::string_view name, Cycles begin, Cycles end) override;
  void dependency_met(const CoreLocation& from, Cycles end, const CoreLocation& to, Cycles at) override;
  void thread_worked(const ThreadWork& work, Cycles begin, Cycles end) override;
  void card_loaded(std::uint32_t card, Cycles at, std::uint32_t busy_cores, std::uint64_t ready_tasks) override;
  void card_ended(std::uint32_t card, Cycles at) override;

  void core_added(const CoreLocation& core, const isa::ArchSpec& arch) override;
  void block_started(const CoreLocation& core, const Block& block, Cycles at) override;
  void block_ended(const CoreLocation& core, const Block& block, Cycles begin, Cycles end) override;
  void operation_occupied(const CoreLocation& core, const isa::Operation& op, Cycles begin, Cycles end) override;
  void pipe_waited(const CoreLocation& core, isa::Pipe pipe, WaitReason reason, Cycles begin, Cycles end) override;
  void cell_awaited(const CoreLocation& core, const CellWait& wait, Cycles at) override;
  void wait_passed(const CoreLocation& core, std::uint64_t cell, const Notify* by, Cycles at) override;

 private:
  /// A value that changes often: what held for less than a shortest time is left out.
  struct Counter {
    traces::NameId name{};
    std::uint64_t value = 0;  ///< as it is
    Cycles since{0};
    std::uint64_t shown = 0;  ///< by the last sample
  };
  struct CoreTracks {
    traces::TrackId core{};
    std::array<traces::TrackId, isa::kPipeCount> pipes{};
    traces::NameId kernel{}, block{};               ///< of the block that runs
    traces::NameId awaited{traces::Detail::kNone};  ///< cell and value, of the last TWAIT
    traces::TrackId sender{traces::Detail::kNone};  ///< of the notify that it got
  };
  struct CardTracks {
    traces::TrackId card{}, orchestrator{};
    std::vector<traces::TrackId> threads;
    std::vector<CoreTracks> cores;
    Counter busy_cores, ready_tasks;
  };

  void sample(const CardTracks& card, Counter& counter, Cycles at, std::uint64_t value);
  void show(const CardTracks& card, Counter& counter);
  [[nodiscard]] CoreTracks& tracks_of(const CoreLocation& core) { return cards_[core.card].cores[core.index]; }

  traces::Sink& sink_;
  Cycles shortest_sample_;
  std::array<traces::TrackId, 2> host_{};  ///< by HostQueue
  std::vector<CardTracks> cards_;
  std::array<traces::NameId, isa::kOpcodeCount> op_names_{};
  std::array<traces::NameId, 3> work_names_{};  ///< by SchedulerWork
  traces::NameId wait_name_{};
};

}  // namespace npu::model
