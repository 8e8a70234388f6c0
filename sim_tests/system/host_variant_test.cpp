// NPU_HOST_VARIANT: every variant that the processor has computes the same bits, and the others are refused.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "isa/numerics/host_variant.hpp"
#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

std::string command(const std::string& variant, const std::string& arguments) {
  return "NPU_HOST_VARIANT=" + variant + " " + NPU_EXECUTABLE + " " + arguments + " 2>&1";
}

TEST_CASE("every host variant gives the bits of the baseline in layers of every kind, kernels and reference") {
  const TemporaryDirectory directory;
  for (const int layer : {0, 3, 10}) {
    for (std::size_t v = 0; v < isa::kHostVariantNames.size(); ++v) {
      if (!isa::host_supports(static_cast<isa::HostVariant>(v))) continue;
      const std::string name{isa::kHostVariantNames[v]};
      CAPTURE(layer, name);
      const std::string out = directory.file(fmt::format("{}-{}", name, layer));
      const Outcome run = run_command(command(
          name, fmt::format("run decode-layer --preset tiny --mode functional --layer-id {} --save-data {} --out {}",
                            layer, out, out)));
      CAPTURE(run.text);
      REQUIRE(run.status == 0);
      std::ifstream file{out + "/summary.json"};
      CHECK(nlohmann::json::parse(file)["simulator"]["host_variant"] == name);
      for (const char* data : {"actual", "expected"}) {
        const std::string baseline = directory.file(fmt::format("baseline-{}", layer));
        CHECK(run_command(fmt::format("cmp {}/{}.safetensors {}/{}.safetensors", baseline, data, out, data)).status ==
              0);
      }
    }
  }
}

TEST_CASE("the variant is shown by --version, and one that does not exist or run here is refused") {
  const Outcome version = run_command(command("baseline", "--version"));
  CHECK(version.status == 0);
  CHECK(version.text.find("host variant baseline") != std::string::npos);
  for (const char* wrong : {"avx", "", "AVX2", "sse"}) {
    const Outcome refused = run_command(command(wrong, "list"));
    CAPTURE(wrong, refused.text);
    CHECK(refused.status == 2);
    CHECK(refused.text.find("there is no such variant; this processor runs baseline") != std::string::npos);
  }
  for (std::size_t v = 0; v < isa::kHostVariantNames.size(); ++v) {
    if (isa::host_supports(static_cast<isa::HostVariant>(v))) continue;
    const Outcome refused = run_command(command(std::string{isa::kHostVariantNames[v]}, "list"));
    CHECK(refused.status == 2);
    CHECK(refused.text.find("the processor lacks these instructions") != std::string::npos);
  }
}

}  // namespace
}  // namespace npu::test
