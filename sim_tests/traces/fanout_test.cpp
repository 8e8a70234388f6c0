#include "traces/fanout.hpp"

#include <catch2/catch.hpp>

#include "sim_tests/support/trace_scenario.hpp"
#include "traces/recorder.hpp"

namespace npu::traces {

using namespace isa::literals;
using test::TraceScenario;

TEST_CASE("a fan-out gives each sink the same events under the ids of that sink", "[traces][fanout]") {
  SpySink alone;
  TraceScenario::play(alone);
  SpySink first;
  SpySink second;
  // Ids of the second sink differ from those of the fan-out.
  second.add_track({TrackKind::Host, "earlier", 0});
  second.intern("earlier");
  FanoutSink fanout;
  CHECK(fanout.empty());
  fanout.add(first);
  fanout.add(second);
  TraceScenario::play(fanout);

  CHECK(first.spans() == alone.spans());
  CHECK(first.flows() == alone.flows());
  CHECK(first.counters() == alone.counters());
  REQUIRE(second.spans().size() == alone.spans().size());
  for (std::size_t i = 0; i < alone.spans().size(); ++i) {
    const RecordedSpan& expected = alone.spans()[i];
    const RecordedSpan& got = second.spans()[i];
    CHECK(second.track(got.track).name == alone.track(expected.track).name);
    CHECK(second.name(got.name) == alone.name(expected.name));
    CHECK(got.begin == expected.begin);
  }
  CHECK(second.track(second.flows()[0].to).name == "card1.aiv10");
  CHECK(second.name(second.counters()[0].name) == "bytes in flight");
}

TEST_CASE("a fan-out without sinks takes events and drops them", "[traces][fanout]") {
  FanoutSink fanout;
  TraceScenario::play(fanout);
  CHECK(fanout.intern("a") != fanout.intern("b"));
  CHECK(fanout.intern("a") == fanout.intern("a"));
}

}  // namespace npu::traces
