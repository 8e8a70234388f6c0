#include "traces/recorder.hpp"

#include <catch2/catch.hpp>

#include "sim_tests/support/trace_scenario.hpp"

namespace npu::traces {

using namespace isa::literals;
using test::TraceScenario;

TEST_CASE("the recorder keeps every event and finds tracks by name", "[traces][recorder]") {
  SpySink spy;
  const TraceScenario t = TraceScenario::play(spy);
  CHECK(spy.tracks().size() == 10);
  CHECK(spy.spans().size() == 14);
  CHECK(spy.flows().size() == 2);
  CHECK(spy.counters().size() == 3);
  CHECK(spy.find_track("card0.aic0.mte2") == t.aic_mte2);
  CHECK_FALSE(spy.find_track("card0.aic1"));
  CHECK(spy.spans_on("card0.aic1").empty());
  const auto on_mte2 = spy.spans_on("card0.aic0.mte2");
  REQUIRE(on_mte2.size() == 3);
  CHECK(on_mte2[2].kind == SpanKind::Wait);
  CHECK(on_mte2[2].begin == 150_cyc);
  CHECK(spy.name(on_mte2[0].name) == "tload");
  CHECK(spy.total("card0.aic0.mte2", SpanKind::Instruction) == 40_cyc);
  CHECK(spy.total("card0.aic0.mte2", SpanKind::Wait) == 10_cyc);
}

TEST_CASE("the recorder finds spans of one track that overlap, and only those", "[traces][recorder]") {
  SpySink spy;
  const TraceScenario t = TraceScenario::play(spy);
  CHECK_FALSE(spy.first_overlap());
  const auto name = spy.intern("late");
  spy.span(t.aic_m, SpanKind::Instruction, name, 179_cyc, 190_cyc, 6);
  const auto overlap = spy.first_overlap();
  REQUIRE(overlap);
  CHECK(overlap->first.end == 180_cyc);
  CHECK(overlap->second.begin == 179_cyc);
  CHECK(overlap->second.track == t.aic_m);
}

}  // namespace npu::traces
