// decode-step as a process: layers in one simulation against the reference of each, and the mistakes users make.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> names_of(const Json& outputs) {
  std::vector<std::string> names;
  for (const Json& output : outputs) names.push_back(output.at("name"));
  return names;
}

TEST_CASE("a step takes the time of its layers and compares each of them") {
  const Json summary = summary_of("decode-step --preset tiny --layers 0-1");
  const Json& layers = summary.at("layers");
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].at("layer_id") == 0);
  CHECK(layers[1].at("layer_id") == 1);
  CHECK(layers[1].at("attention") == "swa");
  const double first = layers[0].at("time_us"), second = layers[1].at("time_us");
  CHECK(first > 0);
  CHECK(second > 0);
  CHECK(layers[1].at("begin_us").get<double>() == Approx(layers[0].at("begin_us").get<double>() + first));
  CHECK(first + second < summary.at("time_us").at("effective"));
  CHECK(first + second > 0.9 * summary.at("time_us").at("effective").get<double>());
  CHECK(names_of(summary.at("outputs")) ==
        std::vector<std::string>{"layer0.x_next", "layer0.kv_cache", "layer1.x_next", "layer1.kv_cache"});
}

TEST_CASE("a step of one layer is that layer, drawn from the seed plus its number") {
  const Json step = summary_of("decode-step --preset tiny --layers 1 --seed 4");
  const Json layer = summary_of("decode-layer --preset tiny --layer-id 1 --seed 5");
  CHECK(step.at("cycles") == layer.at("cycles"));
  CHECK(step.at("instructions") == layer.at("instructions"));
  CHECK(step.at("link") == layer.at("link"));
}

TEST_CASE("layers of one, two and four cards share the windows of the exchange, whoever starts late") {
  (void)summary_of("decode-step --preset tiny --layers 0-1 --ep 1");
  (void)summary_of("decode-step --preset tiny --layers 0-1 --ep 2 --start-skew-us 300,0");
  (void)summary_of("decode-step --preset tiny --layers 0-1 --ep 4 --start-skew-us 0,120,40,500");
}

TEST_CASE("layers of every kind follow each other") {
  const Json summary = summary_of("decode-step --preset tiny --layers 0-4 --ep 4");
  std::vector<std::string> kinds;
  for (const Json& layer : summary.at("layers")) kinds.push_back(layer.at("attention"));
  CHECK(kinds == std::vector<std::string>{"swa", "swa", "csa", "hca", "csa"});
  const auto names = names_of(summary.at("outputs"));
  for (const char* pool : {"layer2.idx_kv_cache.vals", "layer3.hca_compress_state.vals", "layer4.cmp_kv.vals"}) {
    CHECK(std::find(names.begin(), names.end(), pool) != names.end());
  }
}

TEST_CASE("a step whose tokens complete windows of every kind writes compressed rows in each layer") {
  const Json summary = summary_of("decode-step --preset tiny --layers 2-3 --start-pos 126 --share-weights");
  for (const Json& output : summary.at("outputs")) CHECK(output.at("checked") > 0);
}

TEST_CASE("layers that share their weights differ by their caches and what they start from") {
  const Json summary = summary_of("decode-step --preset tiny --layers 0-1 --share-weights");
  CHECK(summary.at("outputs").size() == 4);
  CHECK(summary.at("verdict") == "pass");
}

TEST_CASE("timing mode walks a step of every kind through the same tasks, transfers and layers") {
  for (const char* weights : {"", " --share-weights"}) {
    const std::string step = std::string{"decode-step --preset tiny --layers 0-4 --ep 4"} + weights;
    const Json timed = summary_of(step + " --skip-golden"), timing = summary_of(step + " --mode timing");
    CHECK(timing.at("verdict") == "skipped");
    REQUIRE(timing.at("tasks").size() == timed.at("tasks").size());
    REQUIRE(timing.at("layers").size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      CAPTURE(i);
      const double with_results = timed.at("layers")[i].at("time_us");
      CHECK(timing.at("layers")[i].at("time_us").get<double>() == Approx(with_results).epsilon(0.1));
    }
  }
  // Layers that choose their experts by token id, over the window: nothing that steers follows from floats.
  const std::string hash_layers = "decode-step --preset tiny --layers 0-1";
  CHECK(summary_of(hash_layers + " --mode timing").at("cycles") == summary_of(hash_layers).at("cycles"));
}

TEST_CASE("the stack collapses after the last layer") {
  const TemporaryDirectory directory;
  const std::string preset = directory.write("two.toml", "base = \"tiny\"\nlayers = 2\ncompress_ratios = [0, 0]\n");
  const Json whole = summary_of("decode-step --layers 0-1 --preset " + preset);
  CHECK(names_of(whole.at("outputs")).back() == "head.x_head");
  CHECK(whole.at("layers").size() == 2);
  const Json first = summary_of("decode-step --layers 0 --preset " + preset);
  CHECK(names_of(first.at("outputs")).back() == "layer0.kv_cache");
}

TEST_CASE("layers that a step cannot run are refused by their number") {
  check_usage_error("run decode-step --preset tiny --layers 0-43", "there is no layer 43");
  check_usage_error("run decode-step --preset tiny --layers 2-1", "the first layer comes after the last");
  check_usage_error("run decode-step --preset tiny --layers 1-", "expected FIRST-LAST");
  check_usage_error("run decode-step --preset tiny --layers 1,2", "expected FIRST-LAST");
}

TEST_CASE("flags of one layer and of a step do not mix") {
  check_usage_error("run decode-step --layers 0-1 --layer-id 1", "--layer-id belongs to the workloads of a layer");
  check_usage_error("run decode-step --layers 0-1 --data x.safetensors", "--data belongs to the workloads of a layer");
  check_usage_error("run decode-step --layers 0-1 --save-data d", "--save-data belongs to the workloads of a layer");
  check_usage_error("run decode-layer --layers 0-1", "--layers belongs to decode-step");
  check_usage_error("run decode-layer --share-weights", "--share-weights belongs to decode-step");
}

TEST_CASE("the buffer budget of a step is that of the kernels of all its layers") {
  const Outcome fits = npusim("fit decode-step --preset tiny --layers 0-3");
  CAPTURE(fits.text);
  CHECK(fits.status == 0);
  for (const char* kernel : {"\nswa-hash.ring_write", "\ncsa-hash.indexer_score", "\nhca.ring_write"}) {
    CHECK(fits.text.find(kernel) != std::string::npos);
  }
}

}  // namespace
}  // namespace npu::test
