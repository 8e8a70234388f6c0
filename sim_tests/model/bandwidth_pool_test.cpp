#include "model/interconnect/bandwidth_pool.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "sim_tests/support/spy_sink.hpp"

namespace npu::model {
namespace {

struct Ends final : FlowListener {
  explicit Ends(const Clock& c) : clock{c} {}
  void flow_finished(std::uint32_t flow) override { at[flow] = clock.now(); }
  const Clock& clock;
  std::map<std::uint32_t, std::uint64_t> at;
};

struct Bench {
  explicit Bench(double capacity) : pool{"pool", capacity, clock, faults, ends} {}
  void run_to(std::uint64_t cycle) { sc_core::sc_start(clock.duration(cycle - clock.now())); }

  Clock clock{1000};
  FaultLatch faults;
  Ends ends{clock};
  BandwidthPool pool;
};

}  // namespace

TEST_CASE("a pool ends flows at the cycles of the fair division", "[pool]") {
  Bench bench{20};
  bench.run_to(10);
  bench.pool.start(0, 200, 20);
  bench.run_to(15);  // 100 bytes done, then 10 per cycle each
  bench.pool.start(1, 50, 20);
  bench.run_to(100);
  CHECK(bench.ends.at == std::map<std::uint32_t, std::uint64_t>{{1, 20}, {0, 23}});
}

TEST_CASE("a flow that starts when another ends does not share with it", "[pool]") {
  Bench bench{10};
  bench.run_to(0);
  bench.pool.start(0, 100, 10);
  bench.run_to(10);
  bench.pool.start(1, 100, 10);
  bench.run_to(100);
  CHECK(bench.ends.at == std::map<std::uint32_t, std::uint64_t>{{0, 10}, {1, 20}});
}

TEST_CASE("the order of simultaneous starts does not show", "[pool]") {
  Bench bench{10};
  BandwidthPool other{"other", 10, bench.clock, bench.faults, bench.ends};
  const std::vector<double> bytes{10, 300, 77, 120};
  for (std::uint32_t i = 0; i < 4; ++i) bench.pool.start(i, bytes[i], 3 + i);
  for (std::uint32_t i = 4; i-- > 0;) other.start(10 + i, bytes[i], 3 + i);
  bench.run_to(1000);
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(bench.ends.at.at(i) == bench.ends.at.at(10 + i));
}

TEST_CASE("busy cycles are those with at least one flow, each a span of the trace", "[pool]") {
  Bench bench{10};
  test::SpySink spy;
  bench.pool.trace_to(spy, {traces::TrackKind::Link, "link0to1", 0}, 1000, 10);
  bench.run_to(5);
  bench.pool.start(0, 100, 10);
  bench.pool.start(1, 100, 10);
  bench.run_to(10);
  CHECK(bench.pool.busy_cycles() == 5);
  bench.run_to(50);
  bench.pool.start(0, 70, 7);
  bench.run_to(100);
  CHECK(bench.pool.busy_cycles() == 20 + 10);
  REQUIRE(spy.spans.size() == 2);
  CHECK(spy.spans[0] == test::SpySpan{"link0to1", traces::SpanKind::Transfer, "transfer", 5, 25, 200});
  CHECK(spy.spans[1] == test::SpySpan{"link0to1", traces::SpanKind::Transfer, "transfer", 50, 60, 70});
  using Samples = std::vector<test::SpySample>;
  CHECK(spy.samples == Samples{{"link0to1", "GB/s", 5, 10},
                               {"link0to1", "GB/s", 25, 0},
                               {"link0to1", "bytes", 25, 200},
                               {"link0to1", "GB/s", 50, 7},
                               {"link0to1", "GB/s", 60, 0},
                               {"link0to1", "bytes", 60, 270}});
}

TEST_CASE("the bandwidth of a trace is the mean between samples, which are not closer than asked for", "[pool]") {
  Bench bench{10};
  test::SpySink spy;
  bench.pool.trace_to(spy, {traces::TrackKind::Memory, "card0.hbm", 0}, 2000, 15);
  bench.pool.start(0, 10, 2);   // to cycle 5
  bench.pool.start(1, 100, 4);  // to cycle 25
  bench.run_to(20);
  bench.pool.start(2, 60, 6);  // to cycle 30
  bench.run_to(100);
  bench.pool.end_run();
  CHECK(spy.spans.empty());
  // 90 bytes in 20 cycles, then 80 in the shortest sample; a byte per cycle is 2 GB/s.
  CHECK(spy.samples == std::vector<test::SpySample>{
                           {"card0.hbm", "GB/s", 0, 9}, {"card0.hbm", "GB/s", 20, 11}, {"card0.hbm", "GB/s", 35, 0}});
}

}  // namespace npu::model
