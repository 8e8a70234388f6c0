#include "traces/timebase.hpp"

#include <catch2/catch.hpp>

#include <limits>

#include "isa/errors.hpp"

namespace npu::traces {

using namespace isa::literals;

TEST_CASE("cycles become 1024ths of microseconds and picoseconds, rounded down from a period of whole femtoseconds",
          "[traces]") {
  const Timebase round{1000};
  CHECK(round.microseconds_1024(1000_cyc) == 1024);
  CHECK(round.microseconds_1024(125_cyc) == 128);
  CHECK(round.microseconds_1024(124_cyc) == 126);
  CHECK(round.picoseconds(123_cyc) == 123'000);
  const Timebase fast{1850};  // 540541 fs
  CHECK(fast.picoseconds(1_cyc) == 540);
  CHECK(fast.microseconds_1024(1_cyc) == 0);
  CHECK(fast.microseconds_1024(1850_cyc) == 1024);
  CHECK(fast.microseconds_1024(Cycles{10'000'000'000'000}) == 5'535'139'840'000);
  CHECK(fast.picoseconds(1'000'000_cyc) == 540'541'000);
}

TEST_CASE("a clock that is no clock is refused", "[traces][negative]") {
  CHECK_THROWS_AS(Timebase{0}, ConfigError);
  CHECK_THROWS_AS(Timebase{-5}, ConfigError);
  CHECK_THROWS_AS(Timebase{std::numeric_limits<double>::quiet_NaN()}, ConfigError);
  CHECK_THROWS_WITH(Timebase{1e6}, Catch::Contains("1..100000 MHz"));
}

TEST_CASE("a window cuts spans at its edges and drops those outside", "[traces]") {
  const Window window{100_cyc, 200_cyc};
  const auto clip = [&](Cycles from, Cycles to) { return window.clip(from, to); };
  CHECK_FALSE(clip(0_cyc, 100_cyc));
  CHECK(clip(0_cyc, 101_cyc));
  CHECK(clip(199_cyc, 300_cyc));
  CHECK_FALSE(clip(200_cyc, 300_cyc));
  CHECK(clip(100_cyc, 100_cyc));
  CHECK_FALSE(clip(99_cyc, 99_cyc));
  Cycles from = 50_cyc;
  Cycles to = 250_cyc;
  CHECK(window.clip(from, to));
  CHECK(from == 100_cyc);
  CHECK(to == 200_cyc);
}

TEST_CASE("windows are read as START:END with either side open", "[traces]") {
  CHECK(parse_window("100:200").begin == 100_cyc);
  CHECK(parse_window("100:200").end == 200_cyc);
  CHECK(parse_window("100:").end == Window{}.end);
  CHECK(parse_window(":5").begin == 0_cyc);
  CHECK_THROWS_WITH(parse_window("100"), Catch::Contains("'100'") && Catch::Contains("START:END"));
  CHECK_THROWS_WITH(parse_window("200:100"), Catch::Contains("after the start"));
  CHECK_THROWS_WITH(parse_window("1:2us"), Catch::Contains("'2us' is not a cycle count"));
  CHECK_THROWS_AS(parse_window("-1:5"), ConfigError);
}

TEST_CASE("levels are read by name", "[traces]") {
  CHECK(parse_level("task") == Level::Task);
  CHECK(parse_level("pipe") == Level::Pipe);
  CHECK(parse_level("signal") == Level::Signal);
  CHECK_THROWS_WITH(parse_level("all"), Catch::Contains("'all'") && Catch::Contains("task, pipe or signal"));
  CHECK(parse_timeline_level("task") == TimelineLevel::Task);
  CHECK(parse_timeline_level("pipe") == TimelineLevel::Pipe);
  CHECK(parse_timeline_level("instruction") == TimelineLevel::Instruction);
  CHECK_THROWS_WITH(parse_timeline_level("signal"), Catch::Contains("task, pipe or instruction"));
}

}  // namespace npu::traces
