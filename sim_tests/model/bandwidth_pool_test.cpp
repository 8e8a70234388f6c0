#include "model/interconnect/bandwidth_pool.hpp"

#include <catch2/catch.hpp>
#include <map>

namespace npu::model {
namespace {

struct Ends final : FlowListener {
  explicit Ends(const Clock& c) : clock{c} {}
  void flow_finished(std::uint32_t flow) override { at[flow] = clock.now(); }
  const Clock& clock;
  std::map<std::uint32_t, std::uint64_t> at;
};

struct SpanSpy final : traces::Sink {
  struct Span {
    std::uint64_t begin, end, bytes;
    bool operator==(const Span&) const = default;
  };
  traces::TrackId add_track(const traces::TrackInfo& info) override {
    track = info.name;
    return traces::TrackId{};
  }
  traces::NameId intern(std::string_view) override { return traces::NameId{}; }
  void span(traces::TrackId, traces::SpanKind, traces::NameId, traces::Cycles begin, traces::Cycles end,
            std::uint64_t detail) override {
    spans.push_back({begin.count(), end.count(), detail});
  }
  void flow(traces::FlowKind, traces::TrackId, traces::Cycles, traces::TrackId, traces::Cycles) override {}
  void counter(traces::TrackId, traces::NameId, traces::Cycles, std::uint64_t) override {}
  std::string track;
  std::vector<Span> spans;
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
  SpanSpy spy;
  bench.pool.trace_to(spy, {traces::TrackKind::Link, "link0to1", 0});
  bench.run_to(5);
  bench.pool.start(0, 100, 10);
  bench.pool.start(1, 100, 10);
  bench.run_to(10);
  CHECK(bench.pool.busy_cycles() == 5);
  bench.run_to(50);
  bench.pool.start(0, 70, 7);
  bench.run_to(100);
  CHECK(bench.pool.busy_cycles() == 20 + 10);
  CHECK(spy.track == "link0to1");
  CHECK(spy.spans == std::vector<SpanSpy::Span>{{5, 25, 200}, {50, 60, 70}});
}

}  // namespace npu::model
