// How a run ends that does not come to its end by itself: limits, signals, hangs, and what is left behind then.
#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "isa/errors.hpp"
#include "sim_tests/support/program_bench.hpp"
#include "sim_tests/support/spy_sink.hpp"

namespace npu {
namespace {

using Catch::Matchers::Contains;
using model::Mode;
using test::ProgramBench;

constexpr std::string_view kScalarLoop = R"(.kernel spin
.vector
l: brcmp.eq r0, r0, l
  halt
)";
constexpr std::string_view kTileLoop = R"(.kernel churn
.vector
.tile a ub f32 nd 1x64
l: texpands a, 1.0
  brcmp.eq r0, r0, l
  halt
)";
constexpr std::string_view kElementLoop = R"(.kernel elements
.vector
.tile a ub f32 nd 1x64
l: ldtile r1, a, r0, r0
  brcmp.eq r0, r0, l
  halt
)";
constexpr std::string_view kLoadLoop = R"(.kernel loads
.arg x in f32
.vector
.tile a ub f32 nd 1x64
.gm src f32 nd base=r1 pitch=256
  ldarg r1, 0
l: tload a, src
  brcmp.eq r0, r0, l
  halt
)";
constexpr std::string_view kPollLoop = R"(.kernel polls
.arg cells inout i32
.vector
  ldarg r1, 0
  li r2, 1
l: ttest.eq r3, r1, r2
  brcmp.eq r3, r0, l
  halt
)";
const std::vector kEndless{kScalarLoop, kTileLoop, kElementLoop, kLoadLoop, kPollLoop};
constexpr std::array kEndlessNames{"spin", "churn", "elements", "loads", "polls"};

/// Three clusters: a vector core for each of the endless programs.
model::Machine roomy() {
  model::Machine machine = test::test_machine();
  machine.arch.clusters = 3;
  return machine;
}

void check_limit(Mode mode) {
  model::SystemOptions options = test::one_card();
  options.mode = mode;
  options.max_us = 3000;
  ProgramBench bench{kEndless, options, roomy()};
  const std::string message = bench.message<TimeLimit>();
  INFO(message);
  CHECK_THAT(message, Contains("has not ended within 3000 us of simulated time (--max-us)") &&
                          Contains("cycle 3000000 (3000.000 us)"));
  for (const char* name : kEndlessNames) CHECK_THAT(message, Contains(name));
}

void check_signal(Mode mode) {
  std::atomic<int> signal = 0;
  model::SystemOptions options = test::one_card();
  options.mode = mode;
  options.stop_signal = &signal;
  ProgramBench bench{kEndless, options, roomy()};
  using Clock = std::chrono::steady_clock;
  Clock::time_point sent;
  std::thread sender{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    sent = Clock::now();
    signal = 2;
  }};
  const std::string message = bench.message<Interrupted>();
  sender.join();
  INFO(message);
  CHECK_THAT(message, Contains("signal 2 stopped the run at cycle"));
  for (const char* name : kEndlessNames) CHECK_THAT(message, Contains(name));
  CHECK(Clock::now() - sent < std::chrono::seconds{2});
}

}  // namespace

TEST_CASE("endless programs end at the limit of simulated time, in timed mode") { check_limit(Mode::Timed); }
TEST_CASE("endless programs end at the limit of simulated time, in timing mode") { check_limit(Mode::Timing); }
TEST_CASE("endless programs end at the limit of simulated time, in functional mode") { check_limit(Mode::Functional); }
TEST_CASE("a signal ends endless programs at once, in timed mode") { check_signal(Mode::Timed); }
TEST_CASE("a signal ends endless programs at once, in timing mode") { check_signal(Mode::Timing); }
TEST_CASE("a signal ends endless programs at once, in functional mode") { check_signal(Mode::Functional); }

}  // namespace npu
