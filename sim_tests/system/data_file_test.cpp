// Data files and names that a run refuses, with exit status 2 and a message that says what is wrong.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

const std::string kGolden = std::string{NPU_GOLDENS_DIR} + "/tiny-stress-L0.safetensors";

/// The golden file with one place of its header replaced by text of the same length, found behind `anchor`.
class DamagedGolden {
 public:
  DamagedGolden(const std::string& anchor, const std::string& from, const std::string& to) {
    REQUIRE(from.size() == to.size());
    std::ifstream file{kGolden, std::ios::binary};
    REQUIRE(file);
    bytes_.assign(std::istreambuf_iterator<char>{file}, {});
    const std::size_t start = bytes_.find(anchor);
    REQUIRE(start != std::string::npos);
    const std::size_t at = bytes_.find(from, start);
    REQUIRE(at < start + 200);
    bytes_.replace(at, from.size(), to);
    path_ = directory_.write("damaged.safetensors", bytes_);
  }
  void check_refused(const std::vector<std::string>& messages) const {
    test::check_refused(2, "run hc-post --data " + path_, messages);
  }

 private:
  TemporaryDirectory directory_;
  std::string bytes_, path_;
};

TEST_CASE("a tensor of another dtype is refused with the expected one") {
  DamagedGolden{"\"in.x_hc\"", "\"BF16\"", "\"F16\" "}.check_refused({"in.x_hc", "f16", "bf16"});
  DamagedGolden{"\"in.x_hc\"", "\"BF16\"", "\"F24\" "}.check_refused({"in.x_hc", "dtype 'F24' is not supported"});
}

TEST_CASE("a tensor of another shape is refused with the expected one") {
  DamagedGolden{"\"in.x_hc\"", "[2,16,4,256]", "[2,4,16,256]"}.check_refused(
      {"in.x_hc", "[2, 4, 16, 256]", "[2, 16, 4, 256]"});
  // A shape that does not agree with the bytes.
  DamagedGolden{"\"in.x_hc\"", "[2,16,4,256]", "[2,16,4,255]"}.check_refused({"in.x_hc"});
}

TEST_CASE("a tensor that no layer has is refused with the nearest name") {
  DamagedGolden{"\"in.wq_a\"", "in.wq_a", "in.wq_z"}.check_refused({"'in.wq_z' is unknown; nearest is 'in.wq_"});
}

TEST_CASE("a file cut anywhere is refused") {
  std::ifstream file{kGolden, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  const TemporaryDirectory d;
  for (const std::size_t kept :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    CAPTURE(kept);
    check_refused(2, "run hc-post --data " + d.write("cut.safetensors", bytes.substr(0, kept)), {"cut.safetensors"});
  }
  check_refused(2, "run hc-post --data " + d.file("absent.safetensors"), {"absent.safetensors"});
}

TEST_CASE("a flag that contradicts the file is refused with both values") {
  check_refused(2, "run hc-post --data " + kGolden + " --layer-id 7", {"--layer-id 7 contradicts", "which says 0"});
  check_refused(2, "run hc-post --data " + kGolden + " --batch 99", {"--batch 99 contradicts"});
  check_refused(2, "run hc-post --data " + kGolden + " --start-pos 4", {"--start-pos belongs to generated inputs"});
}

TEST_CASE("misspelt names are refused with the nearest") {
  check_refused(2, "run decode-layr --layer-id 0", {"unknown workload 'decode-layr'", "nearest is 'decode-layer'"});
  check_refused(2, "run hc-post --preset tinny", {"tinny", "tiny"});
  check_refused(2, "run hc-post --set core.clock_mzh=1800", {"core.clock_mzh", "core.clock_mhz"});
  check_refused(2, "run hc-post --set corr.clock_mhz=1800", {"corr.clock_mhz", "core.clock_mhz"});
  check_refused(2, "run hc-post --set core.clock_mhz=-5", {"core.clock_mhz", "-5"});
  check_refused(2, "run hc-post --platform a3a2", {"a3a2", "a2a3"});
  check_refused(2, "run hc-post --mode timmed", {"--mode", "timmed"});
  check_refused(2, "run hc-post --ep 3", {"--ep", "3"});
  check_refused(2, "run", {"workload is required", "[RUN] FAIL"});
  check_refused(2, "rum hc-post", {"rum"});
}

}  // namespace
}  // namespace npu::test
