#include "model/system/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "isa/errors.hpp"

namespace npu::model {
namespace {

constexpr std::size_t kFifoDepth = 2;  ///< runs per card: executing and prepared

}  // namespace

Host::Host(const sc_core::sc_module_name& name, Environment env, const std::vector<std::unique_ptr<Card>>& cards,
           std::uint32_t card_count, const std::vector<double>& start_skew_us)
    : sc_module{name}, env_{env}, cards_{cards}, skew_(card_count) {
  if (!start_skew_us.empty() && start_skew_us.size() != card_count) {
    throw config_error("start skew: {} values for {} cards, give one per card", start_skew_us.size(), card_count);
  }
  for (std::size_t c = 0; c < start_skew_us.size(); ++c) {
    constexpr double kMaxSkewUs = 1e9;
    if (!(start_skew_us[c] >= 0 && start_skew_us[c] <= kMaxSkewUs)) {
      throw config_error("start skew of card {} is {} us; expected 0 to {:.0f}", c, start_skew_us[c], kMaxSkewUs);
    }
    skew_[c] = cycles_of_ns(env.machine.params, 1e3 * start_skew_us[c]);
  }
  env_.observers.tell([](Observer& o) { o.host_added(); });
  SC_HAS_PROCESS(Host);
  SC_THREAD(prepare);
  SC_THREAD(execute);
  SC_THREAD(give_back);
}

void Host::enqueue(HostRun run) {
  if (run.programs.size() != cards_.size()) {
    throw config_error("a run has {} programs for {} cards, give one per card", run.programs.size(), cards_.size());
  }
  runs_.push_back(std::move(run));
  times_.emplace_back();
  enqueued_.notify(sc_core::SC_ZERO_TIME);
}

std::uint64_t Host::copy_cycles(Bytes bytes) const {
  const Params& p = env_.machine.params;
  return cycles_of_ns(p, static_cast<double>(bytes.count()) / p.host.copy_gb_per_s);  // 1 GB/s is one byte per ns
}

void Host::work(HostQueue queue, std::string_view what, std::uint64_t cycles) {
  if (cycles == 0) return;
  const auto work = open_works_.insert(open_works_.end(), {queue, std::string{what}, env_.clock.now()});
  ++works_;
  wait(env_.clock.duration(cycles));
  --works_;
  record(*work, env_.clock.now());
  open_works_.erase(work);
}

void Host::record(const OpenWork& work, std::uint64_t end) {
  if (end == work.begin) return;
  env_.observers.tell(
      [&](Observer& o) { o.host_worked(work.queue, work.what, isa::Cycles{work.begin}, isa::Cycles{end}); });
}

void Host::cut_off(std::uint64_t cycle) {
  for (const OpenWork& work : open_works_) record(work, cycle);
  for (std::size_t run = ended_; run < times_.size(); ++run) times_[run].end = cycle;
}

void Host::prepare() {
  env_.faults.guard_thread([this] { prepare_runs(); });
}
void Host::execute() {
  env_.faults.guard_thread([this] { execute_groups(); });
}
void Host::give_back() {
  env_.faults.guard_thread([this] { return_results(); });
}

void Host::prepare_runs() {
  const Params& p = env_.machine.params;
  for (;;) {
    while (prepared_ == runs_.size()) wait(enqueued_);
    while (prepared_ - executed_ == kFifoDepth) wait(executed_event_);
    const std::size_t run = prepared_;
    times_[run].begin = env_.clock.now();
    work(HostQueue::Runs, "run", cycles_of_ns(p, 1e3 * p.host.run_us));
    work(HostQueue::Runs, "upload", copy_cycles(runs_[run].upload));
    for (const auto& card : cards_) {
      work(HostQueue::Runs, fmt::format("submit card{}", card->index()), cycles_of_ns(p, 1e3 * p.host.submit_us));
    }
    times_[run].prepared = env_.clock.now();
    ++prepared_;
    prepared_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

void Host::launch_group(HostRun& run) {
  std::vector<std::size_t> order(cards_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return skew_[a] < skew_[b]; });
  std::uint64_t elapsed = 0;
  for (const std::size_t c : order) {
    ++works_;
    if (skew_[c] > elapsed) wait(env_.clock.duration(skew_[c] - elapsed));
    --works_;
    elapsed = skew_[c];
    cards_[c]->launch(std::move(run.programs[c]));
  }
}

void Host::execute_groups() {
  for (;;) {
    while (executed_ == prepared_) wait(prepared_event_);
    group_since_ = env_.clock.now();
    launch_group(runs_[executed_]);
    for (const auto& card : cards_) {
      while (card->busy()) wait(card->done());
    }
    times_[executed_].executed = env_.clock.now();
    ++executed_;
    executed_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

void Host::return_results() {
  for (;;) {
    while (ended_ == executed_) wait(executed_event_);
    work(HostQueue::Downloads, "download", copy_cycles(runs_[ended_].download));
    times_[ended_].end = env_.clock.now();
    ++ended_;
    if (idle()) sc_core::sc_pause();
  }
}

void Host::describe_waits(std::vector<WaitRow>& rows) const {
  std::vector<std::uint32_t> busy;
  for (const auto& card : cards_) {
    if (card->busy()) busy.push_back(card->index());
  }
  if (!busy.empty()) {
    rows.push_back({"host", fmt::format("run {} on card {}", executed_, fmt::join(busy, ", ")), group_since_});
  }
  for (const OpenWork& work : open_works_) rows.push_back({"host", "end of " + work.what, work.begin});
  if (works_ > open_works_.size()) rows.push_back({"host", "delayed start of cards", group_since_});
}

}  // namespace npu::model
