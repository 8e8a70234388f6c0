// npusim as a process: exit status, last line, and messages for the mistakes that users make.
#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "orchestration/data/layer_case.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::test {
namespace {

const std::string kGolden = std::string{NPU_GOLDENS_DIR} + "/tiny-stress-L0.safetensors";

struct Outcome {
  int status = -1;
  std::string text;  ///< stdout and stderr
};

Outcome npusim(const std::string& arguments) {
  const std::string command = std::string{NPU_EXECUTABLE} + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.text.append(buffer.data(), n);
  outcome.status = WEXITSTATUS(pclose(pipe));
  return outcome;
}

void check_usage_error(const std::string& arguments, const std::string& message) {
  const Outcome outcome = npusim(arguments);
  CAPTURE(arguments, outcome.text);
  CHECK(outcome.status == 2);
  CHECK(outcome.text.find(message) != std::string::npos);
}

TEST_CASE("an unknown flag is a usage error") { check_usage_error("run hc-post --frobnicate", "--frobnicate"); }

TEST_CASE("a flag whose feature does not exist is refused") {
  check_usage_error("run hc-post --check", "--check: not built yet");
  check_usage_error("validate", "command validate: not built yet");
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

TEST_CASE("a layer of another attention kind names the layers that work") {
  check_usage_error("run decode-layer --preset tiny --layer-id 2", "--layer-id");
}

TEST_CASE("more rows than an expert has room for is a program error that names card, expert and limit") {
  const TemporaryDirectory directory;
  const std::string preset = directory.write("narrow.toml", "base = \"tiny\"\nrecv_max = 8\n");
  const Outcome outcome =
      npusim("run decode-layer --layer-id 0 --skip-golden --preset " + preset + " --out " + directory.file("out"));
  CAPTURE(outcome.text);
  CHECK(outcome.status == 3);
  CHECK(outcome.text.find("the limit recv_max is") != std::string::npos);
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

}  // namespace
}  // namespace npu::test
