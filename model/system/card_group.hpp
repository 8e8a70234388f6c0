// A host and its cards, and the loop that runs them until all work is done or nothing can happen any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/environment.hpp"
#include "model/system/card.hpp"
#include "model/system/host.hpp"

namespace npu::model {

class CardGroup {
 public:
  /// The machine, clock and faults of `env` outlive the group. Call prepare_simulation() before. Tracks are announced
  /// host first, then card by card.
  CardGroup(Environment env, const SystemOptions& options, const GraphLimits& limits, const CoreFactory& factory,
            const ReadWord& read_word);

  /// Queues a run for the host.
  void enqueue(HostRun run) { host_->enqueue(std::move(run)); }
  /// Simulates until every queued run has ended. Throws what a program or a kernel threw, Deadlock, TimeLimit or
  /// Interrupted; then the spans that are open have been closed, statistics tell how far the run came, and the
  /// simulation has stopped for good.
  void finish();

  [[nodiscard]] const Host& host() const { return *host_; }
  [[nodiscard]] const Card& card(std::size_t i) const { return *cards_.at(i); }
  [[nodiscard]] std::size_t size() const { return cards_.size(); }
  /// What was open when a run ended early.
  [[nodiscard]] const std::vector<WaitRow>& waits() const { return waits_; }

 private:
  void simulate();
  [[nodiscard]] std::uint64_t progress() const;
  [[nodiscard]] bool goes_on() const;
  void tell_progress() const;
  [[noreturn]] void report_deadlock(std::string_view reason) const;
  [[nodiscard]] std::uint64_t latest() const;
  [[nodiscard]] std::string time_text(std::uint64_t cycle) const;
  [[nodiscard]] std::vector<WaitRow> open_waits() const;
  void cut_off(std::uint64_t cycle);

  Environment env_;
  std::optional<double> max_us_;
  std::function<void(const RunProgress&)> on_progress_;
  std::vector<std::unique_ptr<Card>> cards_;
  std::unique_ptr<Host> host_;
  std::vector<WaitRow> waits_;
};

}  // namespace npu::model
