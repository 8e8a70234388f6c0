// npusim as a process: exit status, last line, and messages for the mistakes that users make.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "orchestration/data/layer_case.hpp"
#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

const std::string kGolden = std::string{NPU_GOLDENS_DIR} + "/tiny-stress-L0.safetensors";

TEST_CASE("a number that is none, or beyond its type, is a usage error") {
  for (const char* flag : {"--batch", "--seq", "--layer-id", "--start-pos", "--seed"}) {
    for (const char* value : {"-1", "1.5", "abc", "''", "99999999999999999999"}) {
      check_usage_error(std::string{"run hc-post --preset tiny "} + flag + " " + value, flag);
    }
  }
  check_usage_error("run hc-post --seed -1", "'-1' is no whole number from 0 to 18446744073709551615");
  for (const char* skew : {"-5,0", "nan,0", "inf,0", "1e300,0"}) {
    check_usage_error(std::string{"run hc-post --preset tiny --start-skew-us "} + skew, "expected 0 to 1000000000");
  }
}
TEST_CASE("an unknown flag is a usage error") { check_usage_error("run hc-post --frobnicate", "--frobnicate"); }

TEST_CASE("a flag whose feature does not exist is refused") {
  check_usage_error("run hc-post --poison", "--poison: not built yet");
  check_usage_error("run hc-post --check overlap", "--check overlap: not built yet");
  check_usage_error("run hc-post --check rase", "nearest is 'race'");
  check_usage_error("run hc-post --strict", "--strict belongs to --check");
  check_usage_error("sweep", "command sweep: not built yet");
}

TEST_CASE("misspelt names suggest the nearest") {
  check_usage_error("run hc-pots", "nearest is 'hc-post'");
  check_usage_error("run hc-post --preset smal", "small");
}

TEST_CASE("flags that contradict the data file are refused") {
  check_usage_error("run hc-post --data " + kGolden + " --preset small", "--preset small contradicts");
  check_usage_error("run hc-post --data " + kGolden + " --ep 4", "--ep 4 contradicts");
  check_usage_error("run hc-post --data " + kGolden + " --device 0", "--device 0 names 1 cards");
  check_usage_error("run hc-post --data " + kGolden + " --seed 1", "--seed belongs to generated inputs");
}

TEST_CASE("a workload of one attention kind names the layers that work") {
  check_usage_error("run attention-swa --preset tiny --layer-id 2", "--layer-id 0, 1");
  check_usage_error("run attention-csa --preset demo --layer-id 7", "--layer-id 2, 4, 6");
  check_usage_error("run compressor128 --preset pro --layer-id 2", "--layer-id 0, 1, 3, 5, ... ");
}

TEST_CASE("the MTP head and layers beyond the model are refused") {
  check_usage_error("run decode-layer --preset pro --layer-id 61", "the model has 61 layers, choose 0..60");
  check_usage_error("run decode-layer --preset demo --layer-id 8", "layer 8 does not exist");
}

TEST_CASE("all experts of the model are placed by a flag that a data file refuses") {
  const Outcome outcome = npusim("run decode-layer --preset pro --layer-id 3 --ep 8 --all-experts --compile-only");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text.find("on 8 cards") != std::string::npos);
  check_usage_error("run hc-post --all-experts --data " + kGolden, "--all-experts belongs to presets");
}

TEST_CASE("more rows than an expert has room for is a program error that names card, expert and limit") {
  const TemporaryDirectory directory;
  const std::string preset = directory.write("narrow.toml", "base = \"tiny\"\nrecv_max = 8\n");
  for (const std::string ranks : {"1", "2", "4"}) {
    const Outcome outcome = npusim("run decode-layer --layer-id 4 --skip-golden --ep " + ranks + " --preset " + preset +
                                   " --out " + directory.file("out"));
    CAPTURE(ranks, outcome.text);
    CHECK(outcome.status == 3);
    std::smatch found;
    const std::regex message{
        "card ([0-9]+), local expert ([0-9]+) would receive ([0-9]+) rows; the limit recv_max is 8"};
    REQUIRE(std::regex_search(outcome.text, found, message));
    CHECK(std::stoul(found[1]) < std::stoul(ranks));
    CHECK(std::stoul(found[2]) < 4);
    CHECK(std::stoul(found[3]) > 8);
    CHECK(outcome.text.find("[RUN] FAIL illegal program or does not fit") != std::string::npos);
  }
}

TEST_CASE("a truncated data file is refused") {
  const TemporaryDirectory directory;
  const std::filesystem::path path{directory.file("cut.safetensors")};
  std::filesystem::copy_file(kGolden, path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  check_usage_error("run hc-post --data " + path.string(), "cut.safetensors");
}

TEST_CASE("a data file without a tensor of the layer is refused by name") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("less.safetensors");
  orch::LayerCase layer = orch::load_case(kGolden);
  layer.inputs.erase("wq_a");
  orch::save_case(layer, path);
  check_usage_error("run hc-post --data " + path, "'in.wq_a' is missing");
}

TEST_CASE("a passing run ends with its verdict and leaves its summary behind") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  const Outcome outcome = npusim("run hc-post --data " + kGolden + " --out " + out);
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text.rfind("\n[RUN] PASS") != std::string::npos);
  CHECK(std::filesystem::exists(out + "/summary.json"));
  CHECK(std::filesystem::exists(out + "/machine.toml"));
  CHECK(std::filesystem::exists(out + "/layer.json"));
}

TEST_CASE("layer.json of a run repeats it, its position included") {
  const TemporaryDirectory d;
  const auto run = [&](const std::string& flags, const std::string& out) {
    CHECK(npusim("run rmsnorm --mode timing --layer-id 3 " + flags + " --out " + d.file(out)).status == 0);
    return file_text(d.file(out) + "/layer.json");
  };
  const std::string first = run("--preset tiny --start-pos 131", "a");
  CHECK(first.find("\"start_pos\":131") != std::string::npos);
  CHECK(run("--preset " + d.file("a/layer.json"), "b") == first);
  CHECK(run("--preset tiny", "c").find("start_pos") == std::string::npos);
}

TEST_CASE("a wrong expectation is a mismatch with exit status 1") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("wrong.safetensors");
  orch::LayerCase layer = orch::load_case(kGolden);
  orch::Tensor wrong = orch::Tensor::zeros("mid.x_attn", isa::DType::BF16, layer.result("mid.x_attn", 0).shape());
  layer.expected["mid.x_attn"][0] = wrong;
  orch::save_case(layer, path);
  const Outcome outcome = npusim("run hc-post --data " + path + " --out " + directory.file("out"));
  CAPTURE(outcome.text);
  CHECK(outcome.status == 1);
  CHECK(outcome.text.rfind("\n[RUN] FAIL") != std::string::npos);
}

TEST_CASE("saved results are a data file whose expectations a second run meets") {
  const TemporaryDirectory directory;
  const std::string out = " --out " + directory.file("out");
  const Outcome first = npusim("run decode-layer --preset tiny --layer-id 10 --batch 4 --skip-golden --save-data " +
                               directory.file("data") + out);
  CAPTURE(first.text);
  REQUIRE(first.status == 0);
  const Outcome second = npusim("run decode-layer --data " + directory.file("data") + "/actual.safetensors" + out);
  CAPTURE(second.text);
  CHECK(second.status == 0);
  for (const char* output : {"x_next", "idx_kv_cache.vals", "csa_compress_state.untouched"}) {
    CHECK(second.text.find(output) != std::string::npos);
  }
}

}  // namespace
}  // namespace npu::test
