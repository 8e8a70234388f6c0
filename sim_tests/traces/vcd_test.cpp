#include "traces/vcd.hpp"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "isa/errors.hpp"
#include "sim_tests/support/temporary_file.hpp"
#include "sim_tests/support/trace_scenario.hpp"
#include "sim_tests/support/vcd_parser.hpp"

namespace npu::traces {
namespace {

using namespace isa::literals;
using test::TemporaryFile;
using test::TraceScenario;
using test::Vcd;
using Changes = std::vector<std::pair<std::uint64_t, std::string>>;

Vcd scenario_with(const VcdOptions& options) {
  const TemporaryFile file{".vcd"};
  VcdWriter writer{file.path(), options};
  TraceScenario::play(writer);
  writer.finish();
  return Vcd{file.text()};
}

}  // namespace

TEST_CASE("a waveform shows tasks with their blocks and when a core is idle", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000});
  CHECK(vcd.timescale == "1ps");
  CHECK(vcd.changes("card0.aic0.aic0_task") == Changes{{0, "-"}, {100'000, "gemm"}, {200'000, "-"}});
  CHECK(vcd.changes("card0.aic0.aic0_block") == Changes{{0, "z"}, {100'000, "111"}, {200'000, "z"}});
  CHECK(vcd.changes("card1.aiv10.aiv10_task") == Changes{{0, "-"}, {270'000, "vector_add_\"x\""}, {300'000, "-"}});
  CHECK(vcd.last_time == 300'000);
}

TEST_CASE("a waveform shows each pipe as idle, busy or waiting for a reason, and its operation", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000});
  CHECK(vcd.changes("card0.aic0.mte2.mte2_state") ==
        Changes{{0, "idle"}, {110'000, "busy"}, {150'000, "wait_flag"}, {160'000, "idle"}});
  CHECK(vcd.changes("card0.aic0.mte2.mte2_busy") == Changes{{0, "0"}, {110'000, "1"}, {150'000, "0"}});
  CHECK(vcd.changes("card0.aic0.mte2.mte2_op") == Changes{{0, "-"}, {110'000, "tload"}, {160'000, "-"}});
  CHECK(vcd.value_at("card0.aic0.s.s_state", 150'000) == "wait_drain");
  CHECK(vcd.variables.count("card0.aic0.mte2.mte2_pc") == 0);
}

TEST_CASE("a waveform at signal level adds program counters", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000, .level = Level::Signal});
  CHECK(vcd.changes("card0.aic0.mte2.mte2_pc") == Changes{{0, "z"}, {110'000, "11"}, {140'000, "100"}, {150'000, "z"}});
}

TEST_CASE("a waveform at task level has cores and links but no pipes", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000, .level = Level::Task});
  CHECK(vcd.variables.count("card0.aic0.aic0_task") == 1);
  CHECK(vcd.variables.count("link0to1.link0to1_busy") == 1);
  CHECK(vcd.variables.count("card0.aic0.m.m_state") == 0);
}

TEST_CASE("a waveform shows host, scheduler and link activity and the last sample of each cycle", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000});
  CHECK(vcd.changes("host.host_work") == Changes{{0, "submit"}, {40'000, "-"}});
  CHECK(vcd.changes("card0.orch.orch_work") == Changes{{0, "-"}, {40'000, "build_graph"}, {80'000, "-"}});
  CHECK(vcd.changes("link0to1.link0to1_busy") == Changes{{0, "0"}, {200'000, "1"}, {260'000, "0"}});
  CHECK(vcd.changes("link0to1.link0to1_bytes_in_flight") ==
        Changes{{0, "0"}, {200'000, "1000000000000"}, {260'000, "0"}});
}

TEST_CASE("scopes of a waveform stand in reading order", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000, .level = Level::Pipe});
  std::vector<std::string> scopes;
  for (const std::string& name : vcd.declared_order) {
    const std::string scope = name.substr(0, name.rfind('.'));
    if (scopes.empty() || scopes.back() != scope) scopes.push_back(scope);
  }
  CHECK(scopes == std::vector<std::string>{"host", "card0.orch", "card0.sched0", "card0.aic0", "card0.aic0.s",
                                           "card0.aic0.mte2", "card0.aic0.m", "card1.aiv10", "card1.aiv10.v",
                                           "link0to1"});
}

TEST_CASE("a waveform keeps to its window and starts with what holds there", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000, .window = {150_cyc, 250_cyc}});
  CHECK(vcd.first_time == 150'000);
  CHECK(vcd.last_time == 250'000);
  CHECK(vcd.changes("card0.aic0.aic0_task") == Changes{{150'000, "gemm"}, {200'000, "-"}});
  CHECK(vcd.changes("card0.aic0.mte2.mte2_state") == Changes{{150'000, "wait_flag"}, {160'000, "idle"}});
  CHECK(vcd.changes("link0to1.link0to1_busy") == Changes{{150'000, "0"}, {200'000, "1"}, {250'000, "0"}});
  CHECK(vcd.changes("host.host_work") == Changes{{150'000, "-"}});
  const Vcd late = scenario_with({.core_mhz = 1000, .window = {230_cyc, 250_cyc}});
  CHECK(late.changes("link0to1.link0to1_bytes_in_flight") == Changes{{230'000, "1000000000000"}});
}

TEST_CASE("a scope pattern takes matching tracks with everything below them", "[traces][vcd]") {
  const Vcd vcd = scenario_with({.core_mhz = 1000, .scope = "card0.aic?,link*"});
  CHECK(vcd.variables.count("card0.aic0.aic0_task") == 1);
  CHECK(vcd.variables.count("card0.aic0.mte2.mte2_op") == 1);
  CHECK(vcd.variables.count("link0to1.link0to1_busy") == 1);
  CHECK(vcd.variables.count("card1.aiv10.aiv10_task") == 0);
  CHECK(vcd.variables.count("host.host_work") == 0);
}

TEST_CASE("a scope pattern that takes nothing is refused with names that exist", "[traces][negative]") {
  const TemporaryFile file{".vcd"};
  VcdWriter writer{file.path(), {.core_mhz = 1000, .scope = "card7.*"}};
  TraceScenario::play(writer);
  CHECK_THROWS_AS(writer.check_scope(), ConfigError);
  CHECK_THROWS_WITH(writer.finish(), Catch::Contains("'card7.*'") && Catch::Contains("link0to1"));
}

TEST_CASE("identifiers of a waveform are distinct for tens of thousands of variables", "[traces][vcd]") {
  const TemporaryFile file{".vcd"};
  VcdWriter writer{file.path(), {.core_mhz = 1000, .level = Level::Task}};
  const auto name = writer.intern("t");
  for (std::uint32_t core = 0; core < 10'000; ++core) {
    const auto track = writer.add_track({TrackKind::Core, fmt::format("card0.aiv{}", core), 0});
    writer.span(track, SpanKind::Task, name, Cycles{core + 1}, Cycles{core + 2}, core);
  }
  writer.finish();
  const Vcd vcd{file.text()};  // refuses an identifier that is used twice
  CHECK(vcd.variables.size() == 20'000);
  CHECK(vcd.value_at("card0.aiv9999.aiv9999_block", 10'000'000) == "10011100001111");
  CHECK(vcd.changes("card0.aiv123.aiv123_task") == Changes{{0, "-"}, {124'000, "t"}, {125'000, "-"}});
}

TEST_CASE("every cycle of a fast clock has a tick of its own in a waveform", "[traces][vcd]") {
  const TemporaryFile file{".vcd"};
  VcdWriter writer{file.path(), {.core_mhz = 1850}};
  const auto track = writer.add_track({TrackKind::Link, "link0to1", 0});
  const auto name = writer.intern("bytes");
  for (std::uint64_t cycle = 0; cycle < 100; ++cycle) writer.counter(track, name, Cycles{cycle}, cycle);
  writer.finish();
  const auto changes = Vcd{file.text()}.changes("link0to1.link0to1_bytes");
  REQUIRE(changes.size() == 100);
  CHECK(changes[1].first == 540);     // 540.541 ps
  CHECK(changes[99].first == 53513);  // 99 * 540.541 = 53513.559
}

TEST_CASE("a waveform that nobody finishes leaves nothing", "[traces][vcd]") {
  const TemporaryFile file{".vcd"};
  {
    VcdWriter writer{file.path(), {.core_mhz = 1000}};
    TraceScenario::play(writer);
  }
  CHECK_FALSE(std::filesystem::exists(file.path()));
}

TEST_CASE("a waveform that cannot be written is a configuration error that names the file", "[traces][negative]") {
  CHECK_THROWS_WITH((VcdWriter{"/nonexistent/t.vcd", {.core_mhz = 1000}}), Catch::Contains("/nonexistent/t.vcd"));
  VcdWriter full{"/dev/full", {.core_mhz = 1000}};
  TraceScenario::play(full);
  CHECK_THROWS_WITH(full.finish(), Catch::Contains("/dev/full") && Catch::Contains("No space left"));
}

TEST_CASE("vcd2fst accepts a waveform", "[traces][vcd]") {
  if (std::system("command -v vcd2fst >/dev/null 2>&1") != 0) {
    WARN("vcd2fst is not installed: nothing checked");
    return;
  }
  const TemporaryFile vcd{".vcd"};
  const TemporaryFile fst{".fst"};
  VcdWriter writer{vcd.path(), {.core_mhz = 1850, .level = Level::Signal}};
  TraceScenario::play(writer);
  writer.finish();
  CHECK(std::system(fmt::format("vcd2fst {} {} >/dev/null 2>&1", vcd.path(), fst.path()).c_str()) == 0);
  CHECK_FALSE(fst.text().empty());
}

TEST_CASE("the reader of waveforms refuses broken files", "[traces][support]") {
  const std::string head =
      "$timescale 1ps $end\n$scope module a $end\n$var wire 1 ! b $end\n$upscope $end\n"
      "$enddefinitions $end\n#0\n$dumpvars\n0!\n$end\n";
  CHECK_NOTHROW(Vcd{head + "#5\n1!\n"});
  CHECK_THROWS_WITH(Vcd{head + "#5\n1!\n#5\n0!\n"}, Catch::Contains("time does not advance"));
  CHECK_THROWS_WITH(Vcd{head + "#5\n1?\n"}, Catch::Contains("undeclared"));
  CHECK_THROWS_WITH(Vcd{head + "#5\n0!\n"}, Catch::Contains("changes nothing"));
  CHECK_THROWS_WITH(Vcd{head + "#5\n1!\n0!\n"}, Catch::Contains("two changes"));
  CHECK_THROWS_WITH(Vcd{head + "#5\nb11 !\n"}, Catch::Contains("wider"));
}

}  // namespace npu::traces
