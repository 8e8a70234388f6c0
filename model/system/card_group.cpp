#include "model/system/card_group.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "model/system/runtime_errors.hpp"

namespace npu::model {
namespace {

constexpr double kProgressUs = 10;  ///< simulated time between two reports of progress

}  // namespace

CardGroup::CardGroup(Environment env, const SystemOptions& options, const GraphLimits& limits,
                     const CoreFactory& factory, const ReadWord& read_word)
    : env_{env}, on_progress_{options.on_progress} {
  if (options.cards == 0) throw config_error("a system needs at least 1 card");
  host_ = std::make_unique<Host>("host", env, cards_, options.cards, options.start_skew_us);
  const SchedulerCosts costs = scheduler_costs(env.machine.params, options.ideal_scheduler);
  for (std::uint32_t c = 0; c < options.cards; ++c) {
    cards_.push_back(std::make_unique<Card>(env, c, costs, limits, factory, read_word));
  }
}

std::uint64_t CardGroup::progress() const {
  std::uint64_t sum = host_->stages_passed();
  for (const auto& card : cards_) sum += card->progress();
  return sum;
}

void CardGroup::tell_progress() const {
  if (!on_progress_) return;
  RunProgress now{.simulated_us = us_of_cycles(env_.machine.params, env_.clock.now())};
  for (const auto& card : cards_) now.tasks_done += card->tasks_done();
  on_progress_(now);
}

void CardGroup::finish() {
  env_.faults.rethrow();
  const double limit_ms = env_.machine.params.system.stall_limit_ms;
  const sc_core::sc_time stall = env_.clock.duration(cycles_of_ns(env_.machine.params, 1e6 * limit_ms));
  const sc_core::sc_time slice = on_progress_ ? std::min(stall, sc_core::sc_time{kProgressUs, sc_core::SC_US}) : stall;
  std::uint64_t last_progress = progress();
  while (!host_->idle()) {
    const bool host_worked = !host_->waits_for_cards();
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the stamp that is returned goes on with the time
    const sc_core::sc_time begin = sc_core::sc_time_stamp();
    do {
      sc_core::sc_start(std::max(slice, sc_core::sc_time_to_pending_activity()), sc_core::SC_EXIT_ON_STARVATION);
      env_.faults.rethrow();
      if (host_->idle()) return;
      if (!sc_core::sc_pending_activity()) report_deadlock("no event is left");
      tell_progress();
    } while (sc_core::sc_time_stamp() - begin < stall);
    const std::uint64_t now_progress = progress();
    if (!host_worked && host_->waits_for_cards() && now_progress == last_progress) {
      report_deadlock(fmt::format("no instruction has retired for {} ms", limit_ms));
    }
    last_progress = now_progress;
  }
}

void CardGroup::report_deadlock(std::string_view reason) const {
  std::vector<WaitRow> rows;
  host_->describe_waits(rows);
  std::string classes;
  for (const auto& card : cards_) {
    card->describe_waits(rows);
    if (const auto stall = card->stall_class(); !stall.empty()) {
      classes +=
          fmt::format("; card {}: {} ({}) {}", card->index(), kSchedulerTimeout.name, kSchedulerTimeout.code, stall);
    }
  }
  const std::uint64_t now = env_.clock.now();
  throw Deadlock{fmt::format("deadlock at cycle {} ({:.3f} us): {}{}\n{}", now, us_of_cycles(env_.machine.params, now),
                             reason, classes, format_wait_table(rows))};
}

}  // namespace npu::model
