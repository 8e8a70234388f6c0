#include "traces/fanout.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "sim_tests/support/spy_sink.hpp"
#include "sim_tests/support/trace_scenario.hpp"

namespace npu::traces {

using namespace isa::literals;
using test::TraceScenario;

TEST_CASE("a fan-out gives each sink the same events under the ids of that sink", "[traces][fanout]") {
  test::SpySink alone;
  TraceScenario::play(alone);
  test::SpySink first;
  test::SpySink second;
  // Ids of the second sink differ from those of the fan-out.
  second.add_track({TrackKind::Host, "earlier", 0});
  second.intern("earlier");
  FanoutSink fanout;
  CHECK(fanout.empty());
  fanout.add(first);
  fanout.add(second);
  TraceScenario::play(fanout);
  for (const test::SpySink* spy : {&first, &second}) {
    CHECK(spy->spans == alone.spans);
    CHECK(spy->flows == alone.flows);
    CHECK(spy->samples == alone.samples);
  }
  CHECK(std::any_of(alone.spans.begin(), alone.spans.end(), [](const auto& s) { return !s.core.empty(); }));
}

TEST_CASE("a fan-out without sinks takes events and drops them", "[traces][fanout]") {
  FanoutSink fanout;
  TraceScenario::play(fanout);
  CHECK(fanout.intern("a") != fanout.intern("b"));
  CHECK(fanout.intern("a") == fanout.intern("a"));
}

}  // namespace npu::traces
