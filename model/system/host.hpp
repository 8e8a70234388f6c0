// The host process: one command FIFO per card, group start, copies.
//
// Modelled: fixed cost per run and per card program, copies at one bandwidth, a group that starts only when all its
// cards are idle, a per-card start skew, and pipelining of depth two: run N+1 is prepared (arguments copied, programs
// submitted) while run N executes, run N+2 waits. A group names all cards, so the FIFOs of the cards move together and
// one counter stands for them. Not modelled: contention of upload and download, host threads.
// Source: runtime.md section 1.4, machine.md section 7.3.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "model/device.hpp"
#include "model/environment.hpp"
#include "model/system/card.hpp"
#include "model/system/wait_table.hpp"

namespace npu::model {

struct HostRun {
  std::vector<CardProgram> programs;  ///< one per card
  Bytes upload, download;             ///< over all cards
};

/// When a run passed its stages, in cycles.
struct HostRunTimes {
  std::uint64_t begin = 0;     ///< preparation starts
  std::uint64_t prepared = 0;  ///< last program submitted
  std::uint64_t executed = 0;  ///< all cards done
  std::uint64_t end = 0;       ///< results copied back
};

class Host final : public sc_core::sc_module {
 public:
  /// `start_skew_us` has one entry per card or none; throws ConfigError otherwise. The cards outlive the host.
  /// Cards may be added to `cards` until the simulation starts.
  Host(const sc_core::sc_module_name& name, Environment env, const std::vector<std::unique_ptr<Card>>& cards,
       std::uint32_t card_count, const std::vector<double>& start_skew_us);

  /// Queues a run. Throws ConfigError unless it has one program per card.
  void enqueue(HostRun run);
  [[nodiscard]] bool idle() const { return ended_ == times_.size(); }
  [[nodiscard]] bool goes_on() const { return works_ > 0; }  ///< the host itself works, or delays a card's start
  /// Grows whenever a run is prepared, executed or ended.
  [[nodiscard]] std::uint64_t stages_passed() const { return prepared_ + executed_ + ended_; }
  [[nodiscard]] const HostRunTimes& times(std::size_t run) const { return times_.at(run); }
  [[nodiscard]] std::size_t run_count() const { return times_.size(); }
  void describe_waits(std::vector<WaitRow>& rows) const;
  /// The run ends early, at `cycle`: records the work that is open. Nothing follows.
  void cut_off(std::uint64_t cycle);

 private:
  struct OpenWork {
    HostQueue queue;
    std::string what;
    std::uint64_t begin;
  };

  void prepare();  // SC_THREADs
  void execute();
  void give_back();
  void prepare_runs();
  void execute_groups();
  void return_results();  // pauses the simulation when no run is left
  void work(HostQueue queue, std::string_view what, std::uint64_t cycles);
  [[nodiscard]] std::uint64_t copy_cycles(Bytes bytes) const;
  void record(const OpenWork& work, std::uint64_t end);
  void launch_group(HostRun& run);

  Environment env_;
  const std::vector<std::unique_ptr<Card>>& cards_;
  std::vector<std::uint64_t> skew_;  ///< cycles per card
  std::deque<HostRun> runs_;         ///< by run number; programs are gone once launched
  std::deque<HostRunTimes> times_;
  std::size_t prepared_ = 0, executed_ = 0, ended_ = 0;  ///< counts of runs
  std::uint32_t works_ = 0;                              ///< host activities in progress
  std::list<OpenWork> open_works_;
  std::uint64_t group_since_ = 0;
  sc_core::sc_event enqueued_{"enqueued"}, prepared_event_{"prepared"}, executed_event_{"executed"};
};

}  // namespace npu::model
