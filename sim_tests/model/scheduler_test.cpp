#include <algorithm>
#include <catch2/catch.hpp>

#include "sim_tests/support/card_bench.hpp"

using namespace npu;
using namespace npu::model;
using namespace npu::test;
using Cycles64 = std::vector<std::uint64_t>;
using Ids = std::vector<std::uint32_t>;

// Costs of scheduler_machine(): submit 10, dispatch 100, publish 1, visible 20, setup 7, finish visible 30, poll 5,
// resolve 40 plus 2 per edge, skew 3. From "thread free" to the start of a first block: 100 + 1 + 20 + 7 = 128.

TEST_CASE("A diamond of tasks takes the time that its hand-overs add up to") {
  CardBench b{scheduler_machine()};
  b.work.durations = {{"top", 50}, {"left", 200}, {"right", 300}, {"join", 10}};
  const auto top = make_kernel("top", true, false, 0, 1), left = make_kernel("left", true, false, 1, 1),
             right = make_kernel("right", false, true, 1, 1), join = make_kernel("join", true, false, 2, 0);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(top, 1, {out(0, 8)}));
    api.submit(task(left, 1, {in(0, 8), out(8, 8)}));
    api.submit(task(right, 1, {in(0, 8), out(16, 8)}));
    api.submit(task(join, 1, {in(8, 8), in(16, 8)}));
  });
  // top: submitted at 10, starts at 138, ends at 188, seen at 218, polled 223, resolved 223 + 40 + 2*2 = 267
  CHECK(b.starts("top") == Cycles64{138});
  // left: dispatch and publish 368, visible 388, setup 395; it ends at 595
  CHECK(b.starts("left") == Cycles64{395});
  // right: the same thread goes on at 368: published 469, starts at 496, ends at 796
  CHECK(b.starts("right") == Cycles64{496});
  // join: right is seen at 826, polled 831, resolved 831 + 42 = 873, so it starts at 873 + 128
  CHECK(b.starts("join") == Cycles64{1001});
  // it ends at 1011, is seen at 1041, polled 1046, resolved 1086
  const CardStats stats = b.group->card(0).stats();
  CHECK(stats.end - stats.begin == 1086);
  CHECK(stats.orch_busy == 40);
  CHECK(stats.orch_end - stats.begin == 40);
  // 4 dispatches of 101, 4 polls of 5, resolves of 44 + 42 + 42 + 40
  CHECK(stats.sched_busy == 404 + 20 + 168);
  const auto tasks = b.group->card(0).scheduler().task_stats();
  REQUIRE(tasks.size() == 4);
  CHECK(tasks[2].name == "right");
  CHECK(tasks[2].end - tasks[2].begin == 7 + 300);  // the core is taken from the set-up on
  CHECK(tasks[2].core_cycles == 300);               // as the core tells
  // a thread is free at once, the dispatch takes 101 and 20 to be seen; after the block 30 to be seen and a poll of 5
  CHECK(tasks[2].completed - tasks[2].dispatched == 101 + 20 + 7 + 300 + 30 + 5);
  // each edge appears once, from the end of the producer to the start of the consumer
  const auto l = b.launch();
  const auto dependency = traces::FlowKind::TaskDependency;
  const std::string aic = "card0.cluster0.aic", aiv = "card0.cluster0.aiv0";
  CHECK(b.sink.flows == std::vector<SpyFlow>{{dependency, aic, l + 188, aic, l + 395},
                                             {dependency, aic, l + 188, aiv, l + 496},
                                             {dependency, aic, l + 595, aic, l + 1001},
                                             {dependency, aiv, l + 796, aic, l + 1001}});
}

TEST_CASE("Busy and idle time of every scheduler thread add up to the card's run") {
  CardBench b{scheduler_machine(4, 3)};
  const auto cube = make_kernel("cube", true, false), vector = make_kernel("vector", false, true);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(cube, 9));
    api.submit(task(vector, 30));
  });
  const CardStats stats = b.group->card(0).stats();
  std::uint64_t busy = 0;
  for (const SchedulerThreadStats& t : b.group->card(0).scheduler().thread_stats()) {
    CHECK(t.busy > 0);
    CHECK(t.busy + t.idle == stats.end - stats.begin);
    busy += t.busy;
  }
  CHECK(busy == stats.sched_busy);
  std::uint64_t on_track = 0;
  for (const char* track : {"card0.sched0", "card0.sched1", "card0.sched2"}) {
    for (const SpySpan& s : b.sink.on(track)) on_track += s.end - s.begin;
  }
  CHECK(on_track == busy);
}

TEST_CASE("Blocks spread over clusters first, then over the second vector cores, then wait staged or in the queue") {
  CardBench b{scheduler_machine(3, 1), options(1, true)};
  const auto k = make_kernel("k", false, true);
  b.run([&](OrchestratorApi& api) { api.submit(task(k, 14)); });
  // vector cores of cluster c are 3 + 2c and 4 + 2c
  CHECK(b.cores("k") == Ids{3, 5, 7, 4, 6, 8, 3, 4, 5, 6, 7, 8, 3, 5});
  for (const BlockRecord& r : b.work.records) CHECK(r.sub_block == (r.core - 3) % 2);
  CHECK(b.starts("k") == Cycles64{10, 10, 10, 10, 10, 10, 110, 110, 110, 110, 110, 110, 210, 210});
  Ids blocks;
  for (const BlockRecord& r : b.work.records) blocks.push_back(r.block);
  std::sort(blocks.begin(), blocks.end());
  for (std::uint32_t i = 0; i < 14; ++i) CHECK(blocks[i] == i);
}

TEST_CASE("Scheduler threads share the blocks of a task, each with its own clusters and its own payload cost") {
  CardBench b{scheduler_machine(4, 2)};
  const auto k = make_kernel("k", true, false);
  b.run([&](OrchestratorApi& api) { api.submit(task(k, 4)); });
  // both threads: first block at 10 + 128, second one publish later
  CHECK(b.starts("k") == Cycles64{138, 138, 139, 139});
  CHECK(b.cores("k") == Ids{0, 1, 2, 3});
}

TEST_CASE("A staged block starts one set-up after its predecessor, without a round trip") {
  Machine m = scheduler_machine(1, 1);
  m.params.scheduler.task_cold_us = 0.057;
  CardBench b{m};
  b.work.durations = {{"k", 1000}};
  const auto k = make_kernel("k", true, false);
  b.run([&](OrchestratorApi& api) { api.submit(task(k, 3)); });
  // first: 10 + 101 + 20 + 57 (cold) = 188; ends at 1188; the second was published long before
  // third: the slot is seen free at 1188 + 30 + 5, staged behind the second
  CHECK(b.starts("k") == Cycles64{188, 1195, 2202});
}

TEST_CASE("A block published to a core that has just ended starts when it becomes visible") {
  CardBench b{scheduler_machine(1, 1)};
  b.work.durations = {{"k", 10}};
  const auto k = make_kernel("k", true, false);
  b.run([&](OrchestratorApi& api) { api.submit(task(k, 3)); });
  // block 0: published 111, visible 131, 138 to 148. Block 1: published 112, staged, 155 to 165.
  // Block 2: slot free 148 + 30 + 5 = 183, published 184, visible 204, starts 211.
  CHECK(b.starts("k") == Cycles64{138, 155, 211});
}

TEST_CASE("An idle core is preferred to the second slot of a busy one") {
  CardBench b{scheduler_machine(2, 1)};
  b.work.durations = {{"long", 5000}, {"short", 50}};
  const auto longer = make_kernel("long", true, false), shorter = make_kernel("short", true, false);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(longer));
    const TaskId first = api.submit(task(shorter));
    api.submit(task(shorter, 1, {}, {first}));
  });
  CHECK(b.cores("long") == Ids{0});
  CHECK(b.cores("short") == Ids{1, 1});
}

TEST_CASE("A block that waits does not keep ready blocks from the other cores") {
  CardBench b{scheduler_machine(2, 2)};
  b.work.durations = {{"wait", 100000}, {"work", 100}};
  const auto waiter = make_kernel("wait", true, false), worker = make_kernel("work", true, false);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(waiter));
    api.submit(task(worker, 20));
  });
  std::size_t behind_waiter = 0;
  for (const BlockRecord& r : b.work.records) behind_waiter += r.program == "work" && r.begin > b.launch() + 100000;
  CHECK(behind_waiter <= 1);  // one slot is behind it, nothing else
}

TEST_CASE("A mixed block takes a whole idle cluster, its vector parts start one skew later") {
  CardBench b{scheduler_machine(2, 1)};
  b.work.durations = {{"single", 1000}, {"mixed", 100}};
  const auto single = make_kernel("single", false, true), mixed = make_kernel("mixed", true, true);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(single));
    api.submit(task(mixed, 2));
  });
  // single sits on vector core 2 of cluster 0, so cluster 1 (cores 1, 4, 5) runs both blocks
  CHECK(b.cores("single") == Ids{2});
  CHECK(b.cores("mixed") == Ids{1, 4, 5, 1, 4, 5});
  // thread free at 111; dispatch 100 and three publishes: 214, visible 234, setup 241, skew 3
  // the second block is published at 217 and starts when the last part has ended (344) plus setup
  CHECK(b.starts("mixed") == Cycles64{241, 244, 244, 351, 354, 354});
  std::vector<BlockRecord> parts;
  for (const BlockRecord& r : b.work.records) {
    if (r.program == "mixed" && r.block == 0) parts.push_back(r);
  }
  REQUIRE(parts.size() == 3);
  CHECK(parts[1].sub_block == 0);
  CHECK(parts[2].sub_block == 1);
  for (const BlockRecord& r : parts) CHECK(r.mixed);
}

TEST_CASE("A kernel with only a cube part or only a vector part leaves the rest of the cluster to others") {
  CardBench b{scheduler_machine(1, 1), options(1, true)};
  const auto cube = make_kernel("cube", true, false), vector = make_kernel("vector", false, true);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(cube));
    api.submit(task(vector, 2));
  });
  CHECK(b.starts("cube") == Cycles64{10});
  CHECK(b.starts("vector") == Cycles64{20, 20});
}

TEST_CASE("An ideal scheduler hands over in the cycle in which a task ends") {
  CardBench b{scheduler_machine(), options(1, true)};
  const auto produce = make_kernel("produce", true, false, 0, 1), consume = make_kernel("consume", false, true, 1, 0);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(produce, 3, {out(0, 8)}));
    api.submit(task(consume, 1, {in(0, 8)}));
  });
  CHECK(b.starts("produce") == Cycles64{10, 10, 110});
  CHECK(b.starts("consume") == Cycles64{210});
  const CardStats stats = b.group->card(0).stats();
  CHECK(stats.end - stats.begin == 310);
  CHECK(stats.sched_busy == 0);
}

TEST_CASE("A traced card samples its busy cores") {
  CardBench b{scheduler_machine(2, 2), options(1, true)};
  b.work.durations = {{"long", 1000}};
  const auto longer = make_kernel("long", true, false);
  b.run([&](OrchestratorApi& api) { api.submit(task(longer, 3)); });
  std::vector<SpySample> busy;
  for (const SpySample& s : b.sink.samples) {
    if (s.name == "busy cores") busy.push_back(s);
  }
  const std::uint64_t begin = b.launch() + 10;
  CHECK(busy == std::vector<SpySample>{{"card0", "busy cores", begin, 2},
                                       {"card0", "busy cores", begin + 1000, 1},
                                       {"card0", "busy cores", begin + 2000, 0}});
}

TEST_CASE("The work of a traced scheduler names task, block and core") {
  CardBench b{scheduler_machine(1, 1)};
  const auto kernel = make_kernel("once", true, false);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(kernel));
    api.submit(task(kernel, 2));
  });
  const auto spans = b.sink.on("card0.sched0");
  const auto is_second_block = [](const SpySpan& s) { return s.task == 1 && s.detail == 1; };
  const auto dispatch = std::find_if(spans.begin(), spans.end(), is_second_block);
  REQUIRE(dispatch != spans.end());
  CHECK(dispatch->name == "dispatch");
  CHECK(dispatch->subject == "once");
  CHECK(dispatch->core == "card0.cluster0.aic");
}

TEST_CASE("A sync-start task waits until all its blocks have a core") {
  CardBench b{scheduler_machine(2, 2), options(1, true)};
  b.work.durations = {{"long", 500}, {"cohort", 50}, {"late", 50}};
  const auto longer = make_kernel("long", true, false), cohort = make_kernel("cohort", true, false),
             late = make_kernel("late", true, false);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(longer));
    api.submit(together(task(cohort, 2)));
    api.submit(task(late));
  });
  CHECK(b.starts("cohort") == Cycles64{510, 510});
  CHECK(b.starts("late") == Cycles64{560});
}

TEST_CASE("Mixed blocks do not overtake a vector cohort that waits for their cores") {
  CardBench b{scheduler_machine(1, 1), options(1, true)};
  b.work.durations = {{"long", 500}, {"cohort", 50}, {"mixed", 70}};
  const auto longer = make_kernel("long", false, true), cohort = make_kernel("cohort", false, true),
             mixed = make_kernel("mixed", true, true);
  b.run([&](OrchestratorApi& api) {
    api.submit(task(longer));
    api.submit(task(mixed));
    api.submit(together(task(cohort, 2)));
  });
  CHECK(b.starts("cohort") == Cycles64{510, 510});
  CHECK(b.starts("mixed") == Cycles64{560, 563, 563});
}

TEST_CASE("A sync-start task with more blocks than cores is refused") {
  CardBench b{scheduler_machine(2, 1)};
  const auto k = make_kernel("k", true, false);
  CHECK_THROWS_WITH(b.run([&](OrchestratorApi& api) { api.submit(together(task(k, 3))); }),
                    Catch::Matchers::Contains("REQUIRE_SYNC_START_INVALID (7)"));
}
