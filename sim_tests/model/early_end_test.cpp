// How a run ends that does not come to its end by itself: limits, signals, hangs, and what is left behind then.
#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <numeric>
#include <thread>

#include "isa/errors.hpp"
#include "model/system/wait_table.hpp"
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

/// Spans of a track follow each other, and the block's time on every pipe is busy or waits for a reason.
void check_cut_off(const test::SpySink& sink, const model::RunStats& run, std::size_t blocks) {
  for (const std::string& track : sink.tracks) {
    const std::vector<test::SpySpan> spans = sink.on(track);
    std::uint64_t end = 0;
    // Millions of spans: the assertion is of the first that is wrong.
    const auto wrong = std::find_if(spans.begin(), spans.end(), [&](const test::SpySpan& span) {
      const bool in_order = span.begin >= end && span.end >= span.begin;
      end = span.end;
      return !in_order;
    });
    INFO(track << " span " << wrong - spans.begin());
    CHECK(wrong == spans.end());
  }
  CHECK(std::count_if(sink.spans.begin(), sink.spans.end(), [](const auto& span) {
          return span.kind == traces::SpanKind::Task;
        }) == static_cast<std::ptrdiff_t>(blocks));
  CHECK(!run.waits.empty());
  REQUIRE(run.tasks.size() == blocks);
  for (const model::TaskStats& task : run.tasks) {
    INFO(task.name);
    CHECK(task.begin > 0);
    CHECK(task.end - task.begin == task.core_cycles);
    for (const isa::Pipe pipe : {isa::Pipe::S, isa::Pipe::MTE2, isa::Pipe::V, isa::Pipe::MTE3}) {
      const model::PipeStats& stats = task.pipes[isa::index_of(isa::CoreKind::AIV)][isa::index_of(pipe)];
      CHECK(std::accumulate(stats.wait.begin(), stats.wait.end(), stats.busy) == task.core_cycles);
    }
  }
}

void check_limit(Mode mode) {
  test::SpySink sink;
  model::SystemOptions options = test::one_card(&sink);
  options.mode = mode;
  options.max_us = 3000;
  ProgramBench bench{kEndless, options, roomy()};
  const std::string message = bench.message<TimeLimit>();
  INFO(message);
  CHECK_THAT(message, Contains("has not ended within 3000 us of simulated time (--max-us)") &&
                          Contains("cycle 3000000 (3000.000 us)"));
  for (const char* name : kEndlessNames) CHECK_THAT(message, Contains(name));
  check_cut_off(sink, bench.system().stats(), kEndless.size());
}

void check_signal(Mode mode) {
  std::atomic<int> signal = 0;
  test::SpySink sink;
  model::SystemOptions options = test::one_card(&sink);
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
  check_cut_off(sink, bench.system().stats(), kEndless.size());
}

}  // namespace

TEST_CASE("endless programs end at the limit of simulated time, in timed mode") { check_limit(Mode::Timed); }
TEST_CASE("endless programs end at the limit of simulated time, in timing mode") { check_limit(Mode::Timing); }
TEST_CASE("endless programs end at the limit of simulated time, in functional mode") { check_limit(Mode::Functional); }
TEST_CASE("a signal ends endless programs at once, in timed mode") { check_signal(Mode::Timed); }
TEST_CASE("a signal ends endless programs at once, in timing mode") { check_signal(Mode::Timing); }
TEST_CASE("a signal ends endless programs at once, in functional mode") { check_signal(Mode::Functional); }

TEST_CASE("a hang leaves the waits that are open in the trace and in the statistics") {
  test::SpySink sink;
  ProgramBench bench{{R"(.kernel stuck
.vector
.tile a ub f32 nd 1x64
  texpands a, 1.0
  brcmp.ne r0, r0, set
  br wait
set:
  set_flag mte2, v, 5
wait:
  wait_flag mte2, v, 5
  halt
)"},
                     test::one_card(&sink)};
  const std::string message = bench.message<Deadlock>({}, 4);
  INFO(message);
  CHECK_THAT(message,
             Contains("card0.cluster0.aiv0.v to card0.cluster1.aiv1.v, 4 units") &&
                 Contains("blocks 0..3: waits for flag 5 from mte2 (kernel stuck, instruction 4 (probe.npu:10) "
                          "`wait_flag mte2, v, 5`)"));
  const auto on_v = sink.on("card0.cluster0.aiv0.v");
  REQUIRE(!on_v.empty());
  CHECK(on_v.back().kind == traces::SpanKind::Wait);
  CHECK(on_v.back().detail == static_cast<std::uint64_t>(traces::WaitReason::Flag));
  CHECK(on_v.back().end == sink.on("card0.cluster0.aiv0").back().end);
  const auto on_s = sink.on("card0.cluster0.aiv0.s");
  REQUIRE(!on_s.empty());
  CHECK(on_s.back().detail == static_cast<std::uint64_t>(traces::WaitReason::Drain));
  const auto waits = bench.system().stats().waits;
  CHECK(std::count_if(waits.begin(), waits.end(), [](const auto& row) { return row.block.has_value(); }) == 8);
}

TEST_CASE("a wait for a notify says cell, value and sender") {
  constexpr std::string_view kPair = R"(.kernel pair
.arg cell inout i32
.vector
  ldarg r1, 0
  li r2, 1
  ldspr.block_idx r3
  brcmp.ne r3, r0, send
  twait.ge r1, r2
  halt
send:
  tnotify.add r1, r2
  halt
)";
  test::SpySink sink;
  ProgramBench bench{{kPair}, test::one_card(&sink)};
  bench.run({}, 2);
  const auto on_s = sink.on("card0.cluster0.aiv0.s");
  const auto wait = std::find_if(on_s.begin(), on_s.end(), [](const test::SpySpan& span) {
    return span.detail == static_cast<std::uint64_t>(traces::WaitReason::Notify);
  });
  REQUIRE(wait != on_s.end());
  CHECK(wait->subject == fmt::format("cell {:#x} of cell ge 1", static_cast<std::uint64_t>(bench.tensor(0))));
  CHECK(wait->core == "card0.cluster1.aiv0");  // where block 1 runs: the scheduler threads take turns
}

TEST_CASE("a wait for a notify that a hang cuts off says cell and value") {
  test::SpySink sink;
  ProgramBench bench{
      {".kernel k\n.arg cell inout i32\n.vector\n  ldarg r1, 0\n  li r2, 7\n  twait.eq r1, r2\n  halt\n"},
      test::one_card(&sink)};
  CHECK_THAT(bench.message<Deadlock>(), Contains("wants eq 7"));
  const auto on_s = sink.on("card0.cluster0.aiv0.s");
  REQUIRE(!on_s.empty());
  CHECK_THAT(on_s.back().subject, Contains(" of cell eq 7"));
  CHECK(on_s.back().core.empty());
}

TEST_CASE("a table of waits is empty where nobody waits") { CHECK(model::format_wait_table({}).empty()); }

TEST_CASE("a program error in the run closes what is open") {
  test::SpySink sink;
  ProgramBench bench{{R"(.kernel outside
.arg x in f32
.vector
.tile a ub f32 nd 1x64
.gm src f32 nd base=r1 pitch=256 offset=4000
  ldarg r1, 0
  tload a, src
  halt
)"},
                     test::one_card(&sink)};
  CHECK_THROWS_AS(bench.run(), ProgramError);
  CHECK(sink.on("card0.cluster0.aiv0").size() == 1);
  CHECK(bench.system().stats().tasks.at(0).core_cycles > 0);
}

TEST_CASE("time beyond the range of the clock is refused with what made the run that long") {
  model::Machine machine = test::test_machine();
  machine.params.scheduler.task_setup_us = machine.params.scheduler.task_cold_us = 1e12;
  model::Figure& cold = machine.figures.emplace_back();
  cold.key = "scheduler.task_cold_us";
  cold.value = "1e12";
  cold.overridden = true;
  ProgramBench bench{{kScalarLoop}, test::one_card(), machine};
  CHECK_THAT(bench.message<ConfigError>(),
             Contains("1000000 s of simulated time; limit: 18447 s, the range of the clock") &&
                 Contains("Overridden: scheduler.task_cold_us = 1e12"));
}

#ifndef __SANITIZE_ADDRESS__  // which needs more address space than the limit leaves
TEST_CASE("a system that the host has no memory for says what it is for and how much that is") {
  model::Machine machine = test::test_machine();
  machine.arch.buffers[isa::index_of(isa::Space::UB)].physical = isa::Bytes{std::uint64_t{8} << 30};
  const rlimit limit{std::uint64_t{2} << 30, std::uint64_t{2} << 30};
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  CHECK_THROWS_AS((ProgramBench{{kScalarLoop}, test::one_card(), machine}), ConfigError);
}
#endif

TEST_CASE("a run in which the host's memory ends says how far it has come") {
  ProgramBench bench{{kScalarLoop}};
  const auto program = [](model::OrchestratorApi&) { throw std::bad_alloc{}; };
  CHECK_THROWS_WITH(bench.system().run({program}, model::Bytes{}, model::Bytes{}),
                    Contains("no memory left while it simulates cycle 15000, with 0 bytes of tensors on 1 cards") &&
                        Contains("ulimit -v"));
}

}  // namespace npu
