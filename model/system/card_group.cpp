#include "model/system/card_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "isa/errors.hpp"
#include "model/system/runtime_errors.hpp"

namespace npu::model {
namespace {

/// Simulated time between two looks at the run: is it to stop, does it make progress, who wants to know. Time without
/// events is passed over in one step.
constexpr double kSliceUs = 10;
constexpr double kFsPerUs = 1e9;
/// How long the waits of a hang are drawn: without it the last one to begin would have no length.
constexpr std::uint64_t kHangTailCycles = 1000;

/// Simulated time `us` after now, or the end of time.
sc_core::sc_time time_after(double us) {
  const std::uint64_t now = sc_core::sc_time_stamp().value(), left = sc_core::sc_max_time().value() - now;
  const double fs = std::max(0.0, std::ceil(us * kFsPerUs));
  return sc_core::sc_time::from_value(fs < static_cast<double>(left) ? now + static_cast<std::uint64_t>(fs)
                                                                     : now + left);
}

}  // namespace

CardGroup::CardGroup(Environment env, const SystemOptions& options, const GraphLimits& limits,
                     const CoreFactory& factory, const ReadWord& read_word)
    : env_{env}, max_us_{options.max_us}, on_progress_{options.on_progress} {
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

bool CardGroup::goes_on() const {
  return host_->goes_on() ||
         std::any_of(cards_.begin(), cards_.end(), [](const auto& card) { return card->goes_on(); });
}

void CardGroup::finish() {
  env_.faults.rethrow();
  try {
    simulate();
  } catch (const TimeLimit&) {
    cut_off(env_.clock.now());
    throw;
  } catch (const Deadlock&) {
    cut_off(latest() + kHangTailCycles);
    throw;
  } catch (...) {
    cut_off(env_.clock.now());
    throw;
  }
}

void CardGroup::cut_off(std::uint64_t cycle) {
  waits_ = open_waits();
  host_->cut_off(cycle);
  for (const auto& card : cards_) card->cut_off(cycle);
}

void CardGroup::simulate() {
  const double stall_ms = env_.machine.params.system.stall_limit_ms;
  const std::uint64_t stall = cycles_of_ns(env_.machine.params, 1e6 * stall_ms);
  const sc_core::sc_time slice{kSliceUs, sc_core::SC_US};
  const sc_core::sc_time limit = max_us_ ? time_after(*max_us_) : sc_core::sc_max_time();
  std::uint64_t last_progress = progress();
  std::uint64_t alive = env_.clock.now();  // cycle of the last sign of life
  while (!host_->idle()) {
    const sc_core::sc_time step = std::max(slice, sc_core::sc_time_to_pending_activity()),
                           left = limit - sc_core::sc_time_stamp();
    if (step < left) {
      sc_core::sc_start(step, sc_core::SC_EXIT_ON_STARVATION);
    } else {
      sc_core::sc_start(left, sc_core::SC_RUN_TO_TIME);
    }
    env_.faults.rethrow();
    if (host_->idle()) return;
    if (const int signal = env_.stop_requested(); signal != 0) {
      throw Interrupted{signal, fmt::format("signal {} stopped the run at {}{}", signal, time_text(env_.clock.now()),
                                            format_wait_table(open_waits()))};
    }
    if (!sc_core::sc_pending_activity()) report_deadlock("no event is left");
    if (sc_core::sc_time_stamp() >= limit) {
      throw TimeLimit{fmt::format(
          "the run has not ended within {} us of simulated time (--max-us): raise the limit, or see below what the run "
          "was waiting for at {}{}",
          *max_us_, time_text(env_.clock.now()), format_wait_table(open_waits()))};
    }
    tell_progress();
    if (const std::uint64_t now = progress(); now != last_progress || goes_on()) {
      last_progress = now;
      alive = env_.clock.now();
    } else if (env_.clock.now() - alive >= stall) {
      report_deadlock(fmt::format(
          "for {} ms no instruction has retired and nothing has been under way; if the machine is that slow, "
          "raise system.stall_limit_ms",
          stall_ms));
    }
  }
}

std::string CardGroup::time_text(std::uint64_t cycle) const {
  return fmt::format("cycle {} ({:.3f} us)", cycle, us_of_cycles(env_.machine.params, cycle));
}

std::uint64_t CardGroup::latest() const {
  std::uint64_t latest = env_.clock.now();
  for (const auto& card : cards_) latest = std::max(latest, card->latest());
  return latest;
}

std::vector<WaitRow> CardGroup::open_waits() const {
  std::vector<WaitRow> rows;
  host_->describe_waits(rows);
  for (const auto& card : cards_) card->describe_waits(rows);
  return rows;
}

void CardGroup::report_deadlock(std::string_view reason) const {
  std::string classes;
  for (const auto& card : cards_) {
    if (const auto stall = card->stall_class(); !stall.empty()) {
      classes +=
          fmt::format("; card {}: {} ({}) {}", card->index(), kSchedulerTimeout.name, kSchedulerTimeout.code, stall);
    }
  }
  throw Deadlock{
      fmt::format("deadlock at {}: {}{}{}", time_text(latest()), reason, classes, format_wait_table(open_waits()))};
}

}  // namespace npu::model
