#include "bench/activity_profile.hpp"

#include <sys/time.h>

#include <csignal>

#include "isa/errors.hpp"

namespace npu::bench {
namespace {

std::atomic<ActivityProfile*> active{nullptr};

void set_timer(suseconds_t microseconds) {
  itimerval timer{};
  timer.it_interval.tv_usec = timer.it_value.tv_usec = microseconds;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace

ActivityProfile::ActivityProfile() {
  NPU_ASSERT(active.load() == nullptr, "one profile at a time");
  active = this;
  struct sigaction action {};
  action.sa_handler = &ActivityProfile::sample;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPROF, &action, nullptr);
}

ActivityProfile::~ActivityProfile() {
  stop();
  std::signal(SIGPROF, SIG_IGN);
  active = nullptr;
}

void ActivityProfile::start() { set_timer(1000); }
void ActivityProfile::stop() { set_timer(0); }

std::array<std::uint64_t, model::kActivityNames.size()> ActivityProfile::samples() const {
  std::array<std::uint64_t, model::kActivityNames.size()> result{};
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = samples_[i].load();
  return result;
}

void ActivityProfile::sample(int) {
  ActivityProfile* const profile = active.load(std::memory_order_relaxed);
  if (profile == nullptr) return;
  const auto now = static_cast<std::size_t>(profile->marker_.load(std::memory_order_relaxed));
  profile->samples_[now].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace npu::bench
