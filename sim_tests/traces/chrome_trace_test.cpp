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

/// The slice of a row that begins at a cycle; null if there is none.
json slice(const json& trace, const std::string& row, std::int64_t cycle) {
  const auto rows = row_names(trace);
  for (const json& e : events(trace, "X")) {
    if (rows.at(row_of(e)) == row && e.at("args").at("cycle") == cycle) return e;
  }
  return {};
}

/// Of a time that was a whole number of nanoseconds before it was rounded down to the grid.
std::int64_t nanoseconds(const json& microseconds) {
  return static_cast<std::int64_t>(std::ceil(microseconds.get<double>() * 1000));
}

}  // namespace

TEST_CASE("a Chrome trace holds every span with its row, name, time and detail", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000});
  CHECK(trace.at("displayTimeUnit") == "ns");
  CHECK(trace.at("otherData").at("core_mhz") == 1000);
  CHECK(events(trace, "X").size() == 14);

  const json task = slice(trace, "card0/aic0", 100);
  CHECK(task.at("name") == "gemm");
  CHECK(task.at("cat") == "task");
  CHECK(task.at("ts").dump() == "0.099609375");   // 102 / 1024
  CHECK(task.at("dur").dump() == "0.099609375");  // to 204 / 1024
  CHECK(task.at("args") == json{{"task", 2}, {"kernel", "gemm.cube"}, {"block", 7}, {"cycle", 100}, {"cycles", 100}});

  const json load = slice(trace, "card0/aic0.mte2", 110);
  CHECK(load.at("cat") == "instruction");
  CHECK(load.at("args").at("pc") == 3);

  const json wait = slice(trace, "card0/aic0.mte2", 150);
  CHECK(wait.at("name") == "wait: flag");
  CHECK(wait.at("cat") == "wait");
  CHECK(wait.at("args") == json{{"cycle", 150}, {"cycles", 10}});

  CHECK(slice(trace, "host/host", 0).at("cat") == "work");
  CHECK(slice(trace, "links/link0to1", 200).at("args").at("bytes") == 4096);
  CHECK(slice(trace, "card1/aiv10", 270).at("name") == "vector add \"x\"");
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
  for (std::uint64_t cycle = 0; cycle < 1000; cycle += 5) {
    writer.span(track, SpanKind::Instruction, name, Cycles{cycle}, Cycles{cycle + 5}, 0);
  }
  const std::uint64_t late = 1'850'000'000'000;
  writer.span(track, SpanKind::Instruction, name, Cycles{late}, Cycles{late + 1850}, 0);
  writer.finish();
  const auto spans = events(json::parse(file.text()), "X");
  for (std::size_t i = 1; i + 1 < spans.size(); ++i) {
    const double end = spans[i - 1].at("ts").get<double>() + spans[i - 1].at("dur").get<double>();
    REQUIRE(end == spans[i].at("ts"));
  }
  // 1850 cycles of 540.541 ps are 1000.00085 ns; a thousand seconds in, the period rounded to 1 fs is off by 0.9 ppm.
  CHECK(spans.back().at("dur") == 1.0);
  CHECK(spans.back().at("ts").get<double>() == Approx(1e9).epsilon(1e-6));
}

TEST_CASE("slices neither overlap nor vanish for importers that add times as doubles", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), {.core_mhz = 1850}};
  const auto track = writer.add_track({TrackKind::Pipe, "card0.aic0.m", 0});
  const auto name = writer.intern("tmatmul");
  std::uint64_t at = 1'000'000'000;
  std::uint64_t dropped = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::uint64_t cycles = 1 + i * 7919 % 97 % (1 + i % 40);
    if (cycles <= 3) ++dropped;
    writer.span(track, SpanKind::Instruction, name, Cycles{at}, Cycles{at + cycles}, 0);
    at += cycles;
  }
  writer.finish();
  const auto spans = events(json::parse(file.text()), "X");
  CHECK(spans.size() < 20'000);
  CHECK(spans.size() >= 20'000 - dropped);
  const double origin = spans.front().at("ts");  // speedscope counts from there
  double end = 0;
  std::int64_t imported_end = 0;  // Perfetto cuts times to nanoseconds
  for (const json& s : spans) {
    const double begin = s.at("ts").get<double>();
    const double length = s.at("dur").get<double>();
    REQUIRE(begin - origin >= end);
    REQUIRE(static_cast<std::int64_t>(begin * 1000) >= imported_end);
    REQUIRE(static_cast<std::int64_t>(length * 1000) > 0);
    end = begin - origin + length;
    imported_end = static_cast<std::int64_t>(begin * 1000) + static_cast<std::int64_t>(length * 1000);
  }
}

TEST_CASE("waits of one reason that touch are one slice, others stay apart", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), {.core_mhz = 1000}};
  const auto track = writer.add_track({TrackKind::Pipe, "card0.aic0.m", 0});
  const auto wait = writer.intern("wait");
  const auto flag = static_cast<std::uint64_t>(WaitReason::Flag);
  const auto instruction = static_cast<std::uint64_t>(WaitReason::Instruction);
  writer.span(track, SpanKind::Wait, wait, 0_cyc, 10_cyc, instruction);
  writer.span(track, SpanKind::Wait, wait, 10_cyc, 20_cyc, instruction);
  writer.span(track, SpanKind::Wait, wait, 20_cyc, 30_cyc, flag);
  writer.span(track, SpanKind::Wait, wait, 31_cyc, 40_cyc, flag);
  writer.finish();
  const auto spans = events(json::parse(file.text()), "X");
  REQUIRE(spans.size() == 3);
  CHECK(spans[0].at("name") == "wait: instruction");
  CHECK(spans[0].at("args") == json{{"cycle", 0}, {"cycles", 20}});
  CHECK(spans[1].at("args") == json{{"cycle", 20}, {"cycles", 10}});
}

TEST_CASE("a slice of a wait for a notify says what it awaits and from whom", "[traces][chrome]") {
  const TemporaryFile file{".json"};
  ChromeTraceWriter writer{file.path(), {.core_mhz = 1000}};
  const auto sender = writer.add_track({TrackKind::Core, "card1.cluster0.aiv0", 1});
  const auto track = writer.add_track({TrackKind::Pipe, "card0.cluster0.aiv0.s", 0});
  Detail detail{static_cast<std::uint64_t>(WaitReason::Notify)};
  detail.subject = writer.intern("cell 0x40 of done ge 3");
  writer.span(track, SpanKind::Wait, writer.intern("wait"), 0_cyc, 10_cyc, detail);
  detail.core = sender;
  writer.span(track, SpanKind::Wait, writer.intern("wait"), 10_cyc, 20_cyc, detail);
  writer.finish();
  const auto spans = events(json::parse(file.text()), "X");
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].at("args") == json{{"awaits", "cell 0x40 of done ge 3"}, {"cycle", 0}, {"cycles", 10}});
  CHECK(spans[1].at("args").at("from") == "card1.cluster0.aiv0");
}

TEST_CASE("a Chrome trace at pipe level has busy times instead of instructions", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000, .level = TimelineLevel::Pipe});
  const auto spans = events(trace, "X");
  const auto busy = std::find_if(spans.begin(), spans.end(), [](const json& s) {
    return s.at("name") == "busy" && s.at("args").at("cycle") == 110;
  });
  REQUIRE(busy != spans.end());
  CHECK(busy->at("args") == json{{"instructions", 2}, {"cycle", 110}, {"cycles", 40}});
  CHECK(spans.size() == 13);
}

TEST_CASE("work of a scheduler says task, block and core", "[traces][chrome]") {
  CHECK(slice(scenario_with({.core_mhz = 1000}), "card0/sched0", 80).at("args") ==
        json{{"task", 2}, {"of", "gemm"}, {"block", 7}, {"core", "aic0"}, {"cycle", 80}, {"cycles", 20}});
}

TEST_CASE("a Chrome trace names only rows and processes that have events", "[traces][chrome]") {
  const json trace = scenario_with({.core_mhz = 1000, .window = {0_cyc, 50_cyc}});
  std::vector<std::string> names;
  for (const auto& [row, name] : row_names(trace)) names.push_back(name);
  CHECK(names == std::vector<std::string>{"host/host", "card0/orch"});
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
  CHECK(nanoseconds(starts[0].at("ts")) == 197);
  CHECK(rows.at(row_of(ends[0])) == "card1/aiv10");
  CHECK(nanoseconds(ends[0].at("ts")) == 272);
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
  const json task = slice(trace, "card0/aic0", 150);
  CHECK(task.at("name") == "gemm");
  CHECK(task.at("args").at("cycles") == 50);
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
  const json trace = scenario_with({.core_mhz = 1000, .level = TimelineLevel::Task});
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
  writer.span(writer.add_track({TrackKind::Core, "card0.aic0", 0}), SpanKind::Task, writer.intern(name), 0_cyc, 5_cyc,
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
