#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "sim_tests/support/card_bench.hpp"

using namespace npu;
using namespace npu::model;
using namespace npu::test;
using Catch::Matchers::Contains;

// Host costs of scheduler_machine(): run 1000, submit 100 per card, copies 1 byte a cycle.

namespace {

const CardProgram kNothing = [](OrchestratorApi&) {};

std::string deadlock_text(CardBench& bench, const CardProgram& program) {
  try {
    bench.run(program);
  } catch (const Deadlock& stuck) {
    return stuck.what();
  }
  return "no deadlock";
}

/// Everything observable of a run with uneven blocks, dependencies, reads and skew.
std::pair<std::vector<BlockRecord>, std::vector<SpySpan>> record_busy_run(CardBench& b) {
  b.work.durations = {{"cube", 70}, {"vector", 110}, {"mixed", 90}};
  const auto cube = make_kernel("cube", true, false, 1, 1), vector = make_kernel("vector", false, true, 1, 1),
             mixed = make_kernel("mixed", true, true, 1, 1);
  b.run([&](OrchestratorApi& api) {
    for (std::uint64_t i = 0; i < 8; ++i) {
      api.submit(task(cube, 5, {in(100 * i, 8), out(100 * i + 10, 8)}));
      api.submit(task(vector, 9, {in(100 * i + 10, 4), out(100 * i + 20, 8)}));
      api.submit(task(mixed, 3, {in(100 * i + 20, 8), out(100 * i + 100, 8)}));
      if (i % 3 == 2) (void)api.read_i32(GmAddress{100 * i + 20});
    }
  });
  return {b.work.records, b.sink.spans};
}

}  // namespace

TEST_CASE("A group starts when the host has prepared it, each card after its own skew") {
  CardBench b{scheduler_machine(), options(3, false, {0.3, 0, 0.5})};
  b.group->enqueue({{kNothing, kNothing, kNothing}, isa::Bytes{40}, isa::Bytes{60}});
  b.group->finish();
  // run 1000, upload 40, three submits
  CHECK(b.group->card(0).stats().begin == 1340 + 300);
  CHECK(b.group->card(1).stats().begin == 1340);
  CHECK(b.group->card(2).stats().begin == 1340 + 500);
  CHECK(b.group->host().times(0).executed == 1840);
  CHECK(b.group->host().times(0).end == 1900);
  const auto host = b.sink.on("host");
  REQUIRE(host.size() == 5);
  CHECK(host[0] == SpySpan{"host", traces::SpanKind::Work, "run", 0, 1000, traces::Detail::kNoValue});
  CHECK(host[1].name == "upload");
  CHECK(host[4] == SpySpan{"host", traces::SpanKind::Work, "submit card2", 1240, 1340, traces::Detail::kNoValue});
  CHECK(b.sink.on("host.download").at(0).end == 1900);
}

TEST_CASE("Run N+1 is prepared while run N executes, run N+2 is not, and a group waits for its slowest card") {
  CardBench b{scheduler_machine(1), options(2)};
  b.work.durations = {{"long", 10000}, {"short", 100}};
  const auto longer = make_kernel("long", true, false), shorter = make_kernel("short", true, false);
  const CardProgram run_long = [&](OrchestratorApi& api) { api.submit(task(longer)); };
  const CardProgram run_short = [&](OrchestratorApi& api) { api.submit(task(shorter)); };
  for (int i = 0; i < 3; ++i) b.group->enqueue({{run_long, run_short}, isa::Bytes{0}, isa::Bytes{0}});
  b.group->finish();
  const Host& host = b.group->host();
  CHECK(host.times(0).prepared == 1200);
  CHECK(host.times(1).begin == 1200);
  CHECK(host.times(1).prepared == 2400);
  // 138 until the block starts, 10000, and 75 until it has been resolved
  CHECK(host.times(0).executed == 1200 + 10213);
  CHECK(host.times(1).executed == 1200 + 2 * 10213);
  CHECK(host.times(2).begin == host.times(0).executed);
}

TEST_CASE("Watching the progress of a run changes no time, and ends with all tasks done") {
  std::vector<RunProgress> seen;
  SystemOptions watched = options(2);
  watched.on_progress = [&](const RunProgress& now) { seen.push_back(now); };
  CardBench b{scheduler_machine(), watched};
  b.work.durations = {{"k", 100'000}};
  const auto k = make_kernel("k", true, false, 1, 1);
  b.run([&](OrchestratorApi& api) {
    const TaskId first = api.submit(task(k, 1, {in(0, 4), out(64, 4)}));
    api.submit(task(k, 1, {in(0, 4), out(128, 4)}, {first}));
  });
  // Host 1200, submits and hand-overs below 1000, two tasks of 100 us one after the other.
  CHECK(b.group->host().times(0).end >= 201'200);
  CHECK(b.group->host().times(0).end < 202'200);
  REQUIRE(seen.size() >= 2);  // time without events is one step
  for (std::size_t i = 1; i < seen.size(); ++i) {
    CHECK(seen[i].simulated_us > seen[i - 1].simulated_us);
    CHECK(seen[i].tasks_done >= seen[i - 1].tasks_done);
  }
  CHECK(seen.front().tasks_done == 0);
  CHECK(seen.back().tasks_done >= 2);
}

TEST_CASE("run may be called again after it has returned") {
  CardBench b{scheduler_machine(), options(2)};
  const auto k = make_kernel("k", true, false);
  const CardProgram program = [&](OrchestratorApi& api) { api.submit(task(k, 2)); };
  b.run(program);
  const auto first = b.starts("k");
  const std::uint64_t end = b.group->host().times(0).end;
  b.work.records.clear();
  b.run(program);
  CHECK(b.starts("k") == first);
  CHECK(b.group->host().times(1).begin == end);
}

TEST_CASE("Reading a value blocks the program until its last writer has completed") {
  CardBench b{scheduler_machine()};
  b.work.durations = {{"count", 500}};
  b.work.on_start = [&](const Block&) { b.memory[64] = 42; };
  const auto count = make_kernel("count", false, true, 0, 1), use = make_kernel("use", true, false);
  std::int32_t seen = 0, untouched = -1;
  std::uint64_t read_at = 0, untouched_at = 0;
  b.run([&](OrchestratorApi& api) {
    api.submit(task(count, 1, {out(60, 8)}));
    untouched = api.read_i32(GmAddress{128});
    untouched_at = b.now();
    seen = api.read_i32(GmAddress{64});
    read_at = b.now();
    api.submit(task(use, static_cast<std::uint32_t>(seen) - 40));
  });
  CHECK(untouched == 0);
  CHECK(untouched_at - b.launch() == 10);
  CHECK(seen == 42);
  // 10 + 128 + 500, seen + 30, polled + 5, resolved + 40
  CHECK(read_at - b.launch() == 713);
  CHECK(b.starts("use").size() == 2);
}

TEST_CASE("A full task window blocks the program until the oldest task is consumed") {
  CardBench b{scheduler_machine(4), options(1), {.task_window = 4}};
  b.work.durations = {{"slow", 1000}, {"quick", 10}};
  const auto slow = make_kernel("slow", true, false), quick = make_kernel("quick", false, true);
  std::vector<std::uint64_t> submitted;
  b.run([&](OrchestratorApi& api) {
    for (int i = 0; i < 5; ++i) {
      api.submit(task(i == 0 ? slow : quick));
      submitted.push_back(b.now() - b.launch());
    }
  });
  // slow: 138 + 1000 + 30 + 5 + 40 = 1213, then one submit
  CHECK(submitted == std::vector<std::uint64_t>{10, 20, 30, 40, 1223});
}

TEST_CASE("An exception of a card program leaves run with its type and text") {
  CardBench b{scheduler_machine(), options(2)};
  const CardProgram program = [](OrchestratorApi& api) {
    if (api.card() == 1) throw program_error("expert 3 received 97 rows, limit 96");
  };
  CHECK_THROWS_AS(b.run(program), ProgramError);
  CHECK_THROWS_WITH(b.group->finish(), "expert 3 received 97 rows, limit 96");
}

TEST_CASE("An exception of a core that starts a block leaves run with its type") {
  CardBench b{scheduler_machine()};
  b.work.on_start = [](const Block&) { throw program_error("bad block"); };
  const auto k = make_kernel("k", true, false);
  CHECK_THROWS_AS(b.run([&](OrchestratorApi& api) { api.submit(task(k)); }), ProgramError);
}

TEST_CASE("A run without events left is a deadlock with a row for every waiting unit") {
  CardBench b{scheduler_machine(1), options(2)};
  b.work.durations = {{"hang", kForever}};
  const auto hang = make_kernel("hang", false, true, 0, 1), next = make_kernel("next", true, false, 1, 1);
  const std::string text = deadlock_text(b, [&](OrchestratorApi& api) {
    if (api.card() == 0) return;
    api.submit(task(hang, 3, {out(0, 8)}));
    api.submit(task(next, 1, {in(0, 8), out(8, 8)}));
    (void)api.read_i32(GmAddress{8});
  });
  INFO(text);
  // launch at 1200; blocks start at 138 and 139
  CHECK_THAT(text, Contains("no event is left; card 1: SCHEDULER_TIMEOUT (100) S1 running-stalled"));
  CHECK_THAT(text, Contains(" host ") && Contains("         1200  run 0 on card 1\n"));
  CHECK_THAT(text, Contains(" card1.orch ") &&
                       Contains("         1220  TENSOR_WAIT_TIMEOUT (8): int32 at 0x8, written by task 1 'next'\n"));
  CHECK_THAT(text, Contains("task 0 'hang' is running, 3 of 3 blocks issued, 3 core parts not complete"));
  CHECK_THAT(text, Contains("task 1 'next' is pending, missing producers: 0 'hang'"));
  CHECK_THAT(text,
             Contains("  card1.cluster0.aiv0.s to card1.cluster0.aiv1.s, 2 units    1338..1339  blocks 0..1: hang "
                      "waits\n"));
  CHECK_THAT(text, !Contains("card0.") && !Contains("card1.cluster0.aic"));
}

TEST_CASE("A window that a hung task pins is reported as a flow-control deadlock") {
  CardBench b{scheduler_machine(), options(1), {.task_window = 4}};
  b.work.durations = {{"hang", kForever}};
  const auto hang = make_kernel("hang", true, false);
  const std::string text = deadlock_text(b, [&](OrchestratorApi& api) {
    for (int i = 0; i < 6; ++i) api.submit(task(hang));
  });
  CHECK_THAT(text, Contains("FLOW_CONTROL_DEADLOCK (3): task window of 4 slots is full, oldest task is 0 'hang'"));
}

TEST_CASE("A core that keeps simulating without retiring anything is a hang after the stall limit") {
  CardBench b{scheduler_machine()};
  b.work.durations = {{"poll", kForever}};
  b.work.polling = true;
  const auto poll = make_kernel("poll", true, false);
  const std::string text = deadlock_text(b, [&](OrchestratorApi& api) { api.submit(task(poll)); });
  CHECK_THAT(text, Contains("for 1 ms no instruction has retired and nothing has been under way") &&
                       Contains("system.stall_limit_ms") && Contains("1238  block 0: poll waits"));
  CHECK(b.now() >= 1000000);
  CHECK(b.now() <= 3000000);
}

TEST_CASE("A block that takes longer than the stall limit but retires instructions is not a hang") {
  CardBench b{scheduler_machine()};
  b.work.durations = {{"long", 5000000}};
  b.work.polling = true;
  b.work.retire_when_polling = true;
  const auto k = make_kernel("long", true, false);
  CHECK_NOTHROW(b.run([&](OrchestratorApi& api) { api.submit(task(k)); }));
}

TEST_CASE("Copies and skews that take longer than the stall limit are not a hang") {
  CardBench b{scheduler_machine(), options(2, false, {0, 4000})};
  b.group->enqueue({{kNothing, kNothing}, isa::Bytes{5000000}, isa::Bytes{7000000}});
  CHECK_NOTHROW(b.group->finish());
  CHECK(b.group->host().times(0).end == 5000000 + 1200 + 4000000 + 7000000);
}

TEST_CASE("A scheduler whose work takes longer than the stall limit is not a hang") {
  Machine slow = scheduler_machine();
  slow.params.scheduler.resolve_us = 5000;
  slow.params.scheduler.submit_us = 4000;
  slow.params.scheduler.task_setup_us = slow.params.scheduler.task_cold_us = 3000;
  CardBench b{slow};
  b.work.durations = {{"poll", kForever}, {"k", 100}};
  const auto k = make_kernel("k", true, false);
  CHECK_NOTHROW(b.run([&](OrchestratorApi& api) { api.submit(task(k)); }));
}

TEST_CASE("A block that ends after more than the stall limit without retiring anything is not a hang") {
  CardBench b{scheduler_machine()};
  b.work.durations = {{"slow", 5000000}};
  b.work.polling = true;
  const auto k = make_kernel("slow", true, false);
  CHECK_NOTHROW(b.run([&](OrchestratorApi& api) { api.submit(task(k)); }));
}

TEST_CASE("A run that goes beyond the time allowed ends there with the table of waits") {
  SystemOptions limited = options(1);
  limited.max_us = 50;
  CardBench b{scheduler_machine(), limited};
  b.work.durations = {{"long", 5'000'000}};
  const auto k = make_kernel("long", true, false);
  const CardProgram program = [&](OrchestratorApi& api) { api.submit(task(k)); };
  CHECK_THROWS_AS(b.run(program), TimeLimit);
  CHECK(b.now() == 50'000);
}

TEST_CASE("A signal ends the run soon, with its number and the table of waits") {
  std::atomic<int> signal = 0;
  SystemOptions interruptible = options(1);
  interruptible.stop_signal = &signal;
  interruptible.on_progress = [&](const RunProgress& now) {
    if (now.simulated_us >= 30) signal = 15;
  };
  CardBench b{scheduler_machine(), interruptible};
  b.work.durations = {{"long", kForever}};
  b.work.polling = b.work.retire_when_polling = true;
  const auto k = make_kernel("long", true, false);
  try {
    b.run([&](OrchestratorApi& api) { api.submit(task(k)); });
    FAIL("the run has not been stopped");
  } catch (const Interrupted& stopped) {
    CHECK(stopped.signal == 15);
    CHECK_THAT(stopped.what(), Contains("signal 15 stopped the run at cycle") && Contains("1238  block 0: long waits"));
    CHECK(b.now() < 60'000);
  }
}

TEST_CASE("The number of skews and programs must be the number of cards") {
  CHECK_THROWS_AS((CardBench{scheduler_machine(), options(2, false, {1.0})}), ConfigError);
}

TEST_CASE("A run needs one program per card") {
  CardBench b{scheduler_machine(), options(2)};
  CHECK_THROWS_AS(b.run_each({kNothing}), ConfigError);
}

TEST_CASE("Tracks are announced host first, then card by card, each core with its pipes") {
  CardBench b{scheduler_machine(1, 2), options(2)};
  std::vector<std::string> expected{"host", "host.download"};
  for (const std::string card : {"card0", "card1"}) {
    for (const char* of_card : {"", ".orch", ".sched0", ".sched1"}) expected.push_back(card + of_card);
    expected.push_back(card + ".cluster0.aic");
    for (const char* pipe : {"s", "mte2", "mte1", "m", "fix", "mte3"})
      expected.push_back(card + ".cluster0.aic." + pipe);
    for (const std::string vector : {".cluster0.aiv0", ".cluster0.aiv1"}) {
      expected.push_back(card + vector);
      for (const char* pipe : {"s", "mte2", "v", "mte3"}) expected.push_back(card + vector + "." + pipe);
    }
  }
  CHECK(b.sink.tracks == expected);
}

TEST_CASE("The second run of the same program on an idle system repeats the first one cycle by cycle") {
  CardBench b{scheduler_machine(3, 3), options(2, false, {0, 0.013})};
  auto [blocks, spans] = record_busy_run(b);
  const std::uint64_t shift = b.group->host().times(0).end;
  b.work.records.clear();
  b.sink.spans.clear();
  auto [blocks_again, spans_again] = record_busy_run(b);
  for (BlockRecord& r : blocks) r.begin += shift;
  for (SpySpan& s : spans) {
    s.begin += shift;
    s.end += shift;
  }
  CHECK(blocks.size() == 2 * 8 * (5 + 9 + 3 * 3));
  CHECK(blocks == blocks_again);
  CHECK(spans == spans_again);
}
