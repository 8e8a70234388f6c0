#include "traces/chrome_trace.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "isa/errors.hpp"
#include "sim_tests/support/temporary_file.hpp"
#include "sim_tests/support/trace_scenario.hpp"

namespace npu::traces {
namespace {

using namespace isa::literals;
using nlohmann::json;
using test::TemporaryFile;
using test::TraceScenario;

json scenario_with(const ChromeTraceOptions& options) {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), options};
  TraceScenario::play(writer);
  writer.finish();
  return json::parse(file.text());
}

std::vector<json> events(const json& trace, const std::string& phase) {
  std::vector<json> found;
  for (const json& e : trace.at("traceEvents")) {
    if (e.at("ph") == phase) found.push_back(e);
  }
  return found;
}

using Row = std::pair<std::int64_t, std::int64_t>;
Row row_of(const json& e) { return {e.at("pid"), e.at("tid")}; }

/// "card0/aic0.mte2" of an event, through the metadata.
std::map<Row, std::string> row_names(const json& trace) {
  std::map<std::int64_t, std::string> processes;
  std::map<Row, std::string> rows;
  for (const json& e : events(trace, "M")) {
    if (e.at("name") == "process_name") processes[e.at("pid")] = e.at("args").at("name");
    if (e.at("name") == "thread_name") {
      rows[row_of(e)] = processes.at(e.at("pid")) + "/" + e.at("args").at("name").get<std::string>();
    }
  }
  return rows;
}

std::int64_t nanoseconds(const json& microseconds) {
  return static_cast<std::int64_t>(std::llround(microseconds.get<double>() * 1000));
}

}  // namespace

TEST_CASE("a Chrome trace holds every span with its row, name, time and detail", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000});
  CHECK(trace.at("displayTimeUnit") == "ns");
  CHECK(trace.at("otherData").at("core_mhz") == 1000);
  const auto rows = row_names(trace);
  const auto spans = events(trace, "X");
  REQUIRE(spans.size() == 14);

  CHECK(rows.at(row_of(spans[0])) == "card0/aic0");
  CHECK(spans[0].at("name") == "gemm");
  CHECK(spans[0].at("cat") == "task");
  CHECK(spans[0].at("ts").dump() == "0.1");
  CHECK(spans[0].at("dur").dump() == "0.1");
  CHECK(spans[0].at("args") == json{{"block", 7}, {"cycle", 100}, {"cycles", 100}});

  CHECK(rows.at(row_of(spans[1])) == "card0/aic0.mte2");
  CHECK(spans[1].at("cat") == "instruction");
  CHECK(spans[1].at("args").at("pc") == 3);

  CHECK(spans[3].at("name") == "wait: flag");
  CHECK(spans[3].at("cat") == "wait");
  CHECK(spans[3].at("cname") == "grey");
  CHECK(spans[3].at("args") == json{{"reason", "flag"}, {"for", "tload"}, {"cycle", 150}, {"cycles", 10}});

  CHECK(rows.at(row_of(spans[8])) == "host/host");
  CHECK(spans[8].at("cat") == "work");
  CHECK(rows.at(row_of(spans[11])) == "links/link0to1");
  CHECK(spans[11].at("args").at("bytes") == 4096);
  CHECK(spans[12].at("name") == "vector add \"x\"");
  CHECK(rows.at(row_of(spans[12])) == "card1/aiv10");
}

TEST_CASE("rows of a Chrome trace stand in reading order", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000});
  std::map<std::int64_t, std::int64_t> process_index;
  std::map<Row, std::int64_t> thread_index;
  for (const json& e : events(trace, "M")) {
    if (e.at("name") == "process_sort_index") process_index[e.at("pid")] = e.at("args").at("sort_index");
    if (e.at("name") == "thread_sort_index") thread_index[row_of(e)] = e.at("args").at("sort_index");
  }
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> ordered;
  for (const auto& [row, name] : row_names(trace)) {
    ordered[{process_index.at(row.first), thread_index.at(row)}] = name;
  }
  std::vector<std::string> names;
  for (const auto& [index, name] : ordered) names.push_back(name);
  CHECK(names == std::vector<std::string>{"host/host", "card0/orch", "card0/sched0", "card0/aic0", "card0/aic0.s",
                                          "card0/aic0.mte2", "card0/aic0.m", "card1/aiv10", "card1/aiv10.v",
                                          "links/link0to1"});
}

TEST_CASE("neighbouring spans stay neighbours at a clock that is no whole number of nanoseconds", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), {.core_mhz = 1850}};
  const auto track = writer.add_track({TrackKind::Pipe, "card0.aic0.m", 0});
  const auto name = writer.intern("tmatmul");
  for (std::uint64_t cycle = 0; cycle < 1000; cycle += 3) {
    writer.span(track, SpanKind::Instruction, name, Cycles{cycle}, Cycles{cycle + 3}, 0);
  }
  const std::uint64_t late = 1'850'000'000'000;
  writer.span(track, SpanKind::Instruction, name, Cycles{late}, Cycles{late + 1850}, 0);
  writer.finish();
  const auto spans = events(json::parse(file.text()), "X");
  for (std::size_t i = 1; i + 1 < spans.size(); ++i) {
    REQUIRE(nanoseconds(spans[i - 1].at("ts")) + nanoseconds(spans[i - 1].at("dur")) == nanoseconds(spans[i].at("ts")));
  }
  // 1850 cycles of 540.541 ps are 1000.00085 ns; a thousand seconds in, the period rounded to 1 fs is off by 0.9 ppm.
  CHECK(nanoseconds(spans.back().at("dur")) == 1000);
  CHECK(spans.back().at("ts").get<double>() == Approx(1e9).epsilon(1e-6));
}

TEST_CASE("arrows of a Chrome trace come in pairs and lie inside the spans that they join", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000});
  const auto rows = row_names(trace);
  const auto starts = events(trace, "s");
  const auto ends = events(trace, "f");
  REQUIRE(starts.size() == 2);
  REQUIRE(ends.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(starts[i].at("id") == ends[i].at("id"));
    CHECK(starts[i].at("name") == ends[i].at("name"));
    CHECK(starts[i].at("cat") == ends[i].at("cat"));
    CHECK(ends[i].at("bp") == "e");
  }
  CHECK(starts[0].at("id") != starts[1].at("id"));
  CHECK(starts[0].at("name") == "dependency");
  CHECK(rows.at(row_of(starts[0])) == "card0/aic0");
  CHECK(nanoseconds(starts[0].at("ts")) == 199);
  CHECK(rows.at(row_of(ends[0])) == "card1/aiv10");
  CHECK(nanoseconds(ends[0].at("ts")) == 271);
  CHECK(starts[1].at("name") == "notify");
}

TEST_CASE("counters of a Chrome trace carry their samples", "[traces][chrome]") {
  const auto samples = events(scenario_with({.core_mhz = 1000}), "C");
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].at("name") == "link0to1 bytes in flight");
  CHECK(nanoseconds(samples[0].at("ts")) == 200);
  CHECK(samples[0].at("args").at("value") == 4096);
  CHECK(samples[2].at("args").at("value") == 0);
}

TEST_CASE("a Chrome trace keeps to its window", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000, .window = {150_cyc, 270_cyc}});
  const auto spans = events(trace, "X");
  CHECK(spans.size() == 5);  // gemm, the flag wait of mte2, tmatmul, drain, tput
  for (const json& e : trace.at("traceEvents")) {
    if (!e.contains("ts")) continue;
    CHECK(nanoseconds(e.at("ts")) >= 150);
    CHECK(nanoseconds(e.at("ts")) + (e.contains("dur") ? nanoseconds(e.at("dur")) : 0) <= 270);
  }
  CHECK(spans[0].at("name") == "gemm");
  CHECK(spans[0].at("args").at("cycle") == 150);
  CHECK(spans[0].at("args").at("cycles") == 50);
  CHECK(events(trace, "s").empty());  // both arrows end after the window
}

TEST_CASE("a counter that was set before the window shows its value from the start of the window", "[traces][chrome]") {
  const auto samples = events(scenario_with({.core_mhz = 1000, .window = {210_cyc, 1000_cyc}}), "C");
  REQUIRE(samples.size() == 3);
  CHECK(nanoseconds(samples[0].at("ts")) == 210);
  CHECK(samples[0].at("args").at("value") == 4096);
  const auto only_earlier = events(scenario_with({.core_mhz = 1000, .window = {300_cyc, 400_cyc}}), "C");
  REQUIRE(only_earlier.size() == 1);
  CHECK(only_earlier[0].at("args").at("value") == 0);
}

TEST_CASE("a Chrome trace at task level has no pipes", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000, .level = Level::Task});
  for (const auto& [row, name] : row_names(trace)) CHECK(name.find("aic0.") == std::string::npos);
  CHECK(events(trace, "X").size() == 6);
  CHECK(events(trace, "s").size() == 1);  // the arrow between pipes is left out
}

TEST_CASE("a Chrome trace that nobody finishes leaves nothing, and an earlier file as it was", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter{file.path(), {.core_mhz = 1000}}.finish();
  const std::string earlier = file.text();
  {
    ChromeTraceWriter writer{file.path(), {.core_mhz = 1000}};
    TraceScenario::play(writer);
  }
  CHECK(file.text() == earlier);
}

TEST_CASE("a Chrome trace without events is valid", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter{file.path(), {.core_mhz = 1000}}.finish();
  CHECK(json::parse(file.text()).at("traceEvents").empty());
}

TEST_CASE("names with quotes, backslashes and control characters survive a Chrome trace", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), {.core_mhz = 1000}};
  const std::string name = "a\"b\\c\n\t\x01 end";
  writer.span(writer.add_track({TrackKind::Core, "card0.aic0", 0}), SpanKind::Task, writer.intern(name), 0_cyc, 1_cyc,
              0);
  writer.finish();
  CHECK(events(json::parse(file.text()), "X").at(0).at("name") == name);
}

TEST_CASE("a Chrome trace that cannot be written is a configuration error that names the file", "[traces][negative]") {
  CHECK_THROWS_WITH((ChromeTraceWriter{"/nonexistent/t.json", {.core_mhz = 1000}}),
                    Catch::Contains("/nonexistent/t.json") && Catch::Contains("No such file"));
  ChromeTraceWriter full{"/dev/full", {.core_mhz = 1000}};
  TraceScenario::play(full);
  CHECK_THROWS_AS(full.finish(), ConfigError);
}

}  // namespace npu::traces
