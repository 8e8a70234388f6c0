#include "traces/gtkwave_view.hpp"

#include <catch2/catch.hpp>

#include "sim_tests/support/temporary_file.hpp"
#include "sim_tests/support/trace_scenario.hpp"
#include "traces/vcd.hpp"

namespace npu::traces {

TEST_CASE("the view of a waveform is named after it", "[traces][view]") {
  CHECK(view_path("a/run.vcd") == "a/run.gtkw");
  CHECK(view_path("/dev/null").empty());
}

TEST_CASE("a view shows groups of signals under names, fits its part of the waveform, and folds groups",
          "[traces][view]") {
  const std::string text = gtkwave_view("a/run.vcd", 1000, 1000 + 2000,
                                        {{"all", true, {{"core task", "card0.aic0.aic0_task"}}},
                                         {"core", false, {{"block", "card0.aic0.aic0_block[31:0]"}}}});
  CHECK(text.find("[dumpfile] \"run.vcd\"\n[timestart] 1000\n") != std::string::npos);
  CHECK(text.find("*-8.717857 1000\n") != std::string::npos);  // 2000 ticks in 950 pixels, in steps of 200
  CHECK(text.find("@800200\n-all\n@28\n+{core task} card0.aic0.aic0_task\n@1000200\n-all\n"
                  "@c00200\n-core\n@24\n+{block} card0.aic0.aic0_block[31:0]\n@1401200\n-core\n") != std::string::npos);
}

TEST_CASE("a waveform leaves a view of what it holds beside it, at its first task", "[traces][view]") {
  const test::TemporaryFile vcd{".vcd"};
  VcdWriter writer{vcd.path(), {.core_mhz = 1000}};
  test::TraceScenario::play(writer);
  writer.finish();
  const std::string text = test::TemporaryFile::text_of(vcd.beside(".gtkw"));
  CHECK(text.find("[timestart] 100000\n") != std::string::npos);
  CHECK(text.find("+{mte2_op} card0.aic0.mte2.mte2_op\n") != std::string::npos);
  CHECK(text.find("+{aic0_block} card0.aic0.aic0_block[31:0]\n") != std::string::npos);
  CHECK(text.find("+{card1 aiv10_task} card1.aiv10.aiv10_task\n") != std::string::npos);
  CHECK(text.find("_busy") == std::string::npos);
}

}  // namespace npu::traces
