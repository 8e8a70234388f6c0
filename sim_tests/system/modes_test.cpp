// --mode: timing gives the times of timed mode without its results, functional the results without the times.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "orchestration/data/layer_case.hpp"
#include "sim_tests/support/json_schema.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::test {
namespace {

using nlohmann::json;

std::string golden(const std::string& name) { return std::string{NPU_GOLDENS_DIR} + "/" + name + ".safetensors"; }

/// summary.json without what is a mode's own: verdict, outputs, and the cost on this host.
json summary_of(const TemporaryDirectory& directory, const std::string& run, const std::string& mode) {
  const std::string out = directory.file(mode);
  const std::string command = std::string{NPU_EXECUTABLE} + " run " + run + " --mode " + mode + " --out " + out +
                              " > " + directory.file("log") + " 2>&1";
  CAPTURE(command);
  REQUIRE(WEXITSTATUS(std::system(command.c_str())) == 0);
  json summary = json::parse(std::ifstream{out + "/summary.json"});
  CHECK(summary.at("verdict") == (mode == "timing" ? "skipped" : "pass"));
  std::ifstream schema{std::string{NPU_SOURCE_DIR} + "/docs/summary.schema.json"};
  CHECK(JsonSchema{json::parse(schema)}.check(summary) == std::vector<std::string>{});
  for (const char* key : {"verdict", "outputs", "simulator"}) summary.erase(key);
  return summary;
}

void check_equal_times(const std::string& run) {
  const TemporaryDirectory directory;
  CHECK(summary_of(directory, run, "timing") == summary_of(directory, run, "timed"));
}

TEST_CASE("timing mode takes the cycles of timed mode where tokens choose the experts", "[timing]") {
  check_equal_times("decode-layer --data " + golden("tiny-stress-L0"));
  check_equal_times("decode-layer --data " + golden("small-stress-L0"));
  check_equal_times("decode-layer --preset tiny --layer-id 1 --seed 7");
}

TEST_CASE("timing mode takes the cycles of timed mode where the file records the experts of the scores", "[timing]") {
  check_equal_times("moe-ep --data " + golden("tiny-stress-L3"));
  check_equal_times("moe-ep --data " + golden("tiny-stress-L10"));
}

TEST_CASE("timing mode takes the cycles of the timed run whose selected rows and experts it is given", "[timing]") {
  const TemporaryDirectory directory;
  const std::string data = directory.file("data");
  const json timed =
      summary_of(directory, "decode-layer --data " + golden("tiny-stress-L10") + " --save-data " + data, "timed");
  const json timing = summary_of(directory, "decode-layer --data " + data + "/actual.safetensors", "timing");
  CHECK(timing.at("cycles") == timed.at("cycles"));
  CHECK(timing.at("tasks") == timed.at("tasks"));
}

TEST_CASE("a stage that starts from intermediates takes the same cycles in timing mode", "[timing]") {
  check_equal_times("routed-experts --preset tiny --layer-id 3");
}

TEST_CASE("functional mode gives the bytes of timed mode", "[functional]") {
  const TemporaryDirectory directory;
  const std::string run = "decode-layer --data " + golden("tiny-stress-L0");
  for (const std::string mode : {"timed", "functional"})
    (void)summary_of(directory, run + " --save-data " + directory.file("data-" + mode), mode);
  const orch::LayerCase timed = orch::load_case(directory.file("data-timed") + "/actual.safetensors");
  const orch::LayerCase functional = orch::load_case(directory.file("data-functional") + "/actual.safetensors");
  REQUIRE(timed.expected.size() == functional.expected.size());
  for (const auto& [name, ranks] : timed.expected) {
    for (std::uint32_t r = 0; r < ranks.size(); ++r) {
      const auto a = ranks[r].bytes(), b = functional.result(name, r).bytes();
      CAPTURE(name, r);
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
}

TEST_CASE("timing mode refuses to save results that it does not compute", "[timing]") {
  const TemporaryDirectory directory;
  const std::string command = std::string{NPU_EXECUTABLE} + " run hc-post --mode timing --save-data " +
                              directory.file("data") + " > " + directory.file("log") + " 2>&1";
  CHECK(WEXITSTATUS(std::system(command.c_str())) == 2);
}

}  // namespace
}  // namespace npu::test
