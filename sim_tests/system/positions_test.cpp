// Far positions and the deployment point as a process; what --compile-only accepts.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

using Json = nlohmann::json;

TEST_CASE("a saved far case is read back and gives the same cycles") {
  const TemporaryDirectory directory;
  for (const char* layer : {"3", "10"}) {
    const std::string run = std::string{"decode-layer --preset tiny --batch 2 --start-pos 8190 --layer-id "} + layer;
    const Json made = summary_of(run + " --save-data " + directory.file("data"));
    const Json read = summary_of("decode-layer --data " + directory.file("data") + "/expected.safetensors");
    CHECK(read.at("verdict") == "pass");
    CHECK(read.at("cycles") == made.at("cycles"));
    (void)summary_of("decode-layer --preset tiny --data " + directory.file("data") + "/expected.safetensors");
  }
}

TEST_CASE("a step of every kind decodes at a far position") {
  const Json summary = summary_of("decode-step --preset tiny --batch 2 --layers 1-3 --start-pos 8190 --share-weights");
  CHECK(summary.at("verdict") == "pass");
  for (const Json& output : summary.at("outputs")) CHECK(output.at("checked") > 0);
}

TEST_CASE("the deployment preset decodes four requests of two tokens from position 8192") {
  const Json preset = summary_of("decode-layer --preset flash-8k --layer-id 4 --mode timing");
  const Json flags =
      summary_of("decode-layer --preset flash --batch 4 --seq 2 --start-pos 8192 --layer-id 4 --mode timing");
  CHECK(preset.at("cycles") == flags.at("cycles"));
  const Json near = summary_of("decode-layer --preset flash-8k --start-pos 4 --layer-id 4 --mode timing");
  CHECK(near.at("time_us").at("effective") < preset.at("time_us").at("effective"));
  CHECK(npusim("list").text.find("batch 4 x 2 from position 8192") != std::string::npos);
}

TEST_CASE("a step at the deployment point takes every kind of layer") {
  const Json step = summary_of("decode-step --preset flash-8k --layers 0-5 --share-weights --mode timing");
  CHECK(step.at("layers").size() == 6);
}

TEST_CASE("a million positions take no more memory than the rows that live") {
  const Outcome outcome =
      run_command("ulimit -v 300000000; " NPU_EXECUTABLE
                  " run decode-layer --preset tiny --layer-id 3 --batch 2 --skip-golden --start-pos "
                  "1000000 --out " +
                  TemporaryDirectory{}.file("out") + " 2>&1 && echo done");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
}

TEST_CASE("a run that is only compiled is accepted and refused as a run is") {
  const TemporaryDirectory directory;
  const std::string pinned = directory.write("pinned.toml", "base = \"tiny\"\nc4_max_blocks = 65\nstart_pos = 259\n");
  const std::string layers = "decode-step --preset tiny --batch 2 --mode timing --share-weights ";
  const std::string layer = "decode-layer --batch 2 --mode timing --layer-id 10 --preset ";
  for (const std::string& run :
       {layer + "tiny --start-pos 259", layer + "tiny --start-pos 1048575", layer + "tiny --start-pos 4294967295",
        layer + pinned, layer + pinned + " --start-pos 258", layer + "tiny --seq 5", layer + "tiny --seq 4",
        layers + "--layers 0-1 --seq 8", layers + "--layers 0-2 --seq 8", layers + "--layers 2-3 --start-pos 1048575",
        layers + "--layers 2-3 --start-pos 300"}) {
    CAPTURE(run);
    const Outcome compiled = npusim("run " + run + " --compile-only");
    const Outcome ran = npusim("run " + run + " --out " + directory.file("out"));
    CAPTURE(compiled.text, ran.text);
    CHECK(compiled.status == ran.status);
    if (ran.status != 0) CHECK(compiled.text == ran.text);
  }
}

TEST_CASE("fit measures the kernels of a far position") {
  const Outcome near = npusim("fit decode-layer --preset tiny"),
                far = npusim("fit decode-layer --preset tiny --start-pos 131072");
  CHECK(near.status == 0);
  CHECK(far.status == 0);
  CHECK(near.text != far.text);
}

}  // namespace
}  // namespace npu::test
