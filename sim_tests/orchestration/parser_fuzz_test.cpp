// Thousands of damaged inputs for every reader of user text outside the instruction set: each is read or refused with a
// ConfigError, never anything else.
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>

#include "isa/errors.hpp"
#include "model/config/machine.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/kernel_case.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/safetensors.hpp"
#include "sim_tests/support/mutator.hpp"
#include "sim_tests/support/temporary_directory.hpp"
#include "traces/scope_pattern.hpp"
#include "traces/timebase.hpp"

namespace npu::orch {
namespace {

constexpr std::uint32_t kSeed = 20240607;

struct Counts {
  int read = 0, refused = 0;
};

/// Gives `inputs` damaged forms of each good text to the reader.
Counts fuzz(const std::vector<std::string>& good, std::vector<std::string_view> fragments, int inputs,
            const std::function<void(const std::string&)>& read) {
  fragments.insert(fragments.end(), std::begin(test::kOddTexts), std::end(test::kOddTexts));
  test::Mutator mutator{kSeed, fragments};
  Counts counts;
  for (const std::string& text : good) {
    REQUIRE_NOTHROW(read(text));
    for (int i = 0; i < inputs; ++i) {
      const std::string damaged = mutator.damaged(text);
      INFO("seed " << kSeed << ", input " << i << ": " << damaged);
      try {
        read(damaged);
        ++counts.read;
      } catch (const ConfigError& e) {
        ++counts.refused;
        REQUIRE(*e.what() != '\0');
      } catch (const std::exception& e) {
        FAIL("neither read nor refused: " << e.what());
      }
    }
  }
  CHECK(counts.refused > 0);
  return counts;
}

std::string safetensors_file() {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]},"c":{"dtype":"BF16","shape":[],"data_offsets":[19,21]}})";
  std::string bytes(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(bytes.data(), &n, sizeof n);
  return bytes + header + std::string(21, 'x');
}

const std::vector<std::string_view> kJsonWords{"{", "}", "[", "]", ",", ":", "\"a\"", "null", "[[[[", "1.5", "{\"a\":"};
const std::vector<std::string_view> kTomlWords{
    "[",   "]",   "{",   "}",    "=",    ".",   ",", "'",    "\"\"\"",   "'''",        "#",  "a.b.c.", "[[a",
    "0x1", "1_0", "inf", "true", "[.a]", "\\u", "é", "x = ", "07:32:00", "1979-05-27", "T0", "+",      "[[[[[[[["};

}  // namespace

TEST_CASE("a damaged safetensors file is read or refused") {
  const test::TemporaryDirectory dir;
  const Counts counts = fuzz({safetensors_file()}, kJsonWords, 4000, [&](const std::string& text) {
    for (const Tensor& t : read_safetensors(dir.write("damaged", text)).tensors) {
      REQUIRE(t.bytes().size() == byte_count(t.dtype(), t.shape(), t.name()));
    }
  });
  CHECK(counts.read > 0);
}

TEST_CASE("a damaged machine file is read or refused") {
  const test::TemporaryDirectory dir;
  const std::string whole = model::effective_toml(model::load_machine("a2a3", {}));
  const auto read = [&](const std::string& text) {
    static_cast<void>(model::load_machine(dir.write("m.toml", text), {}));
  };
  fuzz({whole}, kTomlWords, 400, read);
  // Every machine is long, and a parser meets its mistakes where they are dense.
  const std::string dense = "name = \"a\"\n[core]\nclock_mhz = {value = 1850, source = 'x'}\n[[a.b]]\nc = [1, 2.5]\n";
  const auto read_part = [&](const std::string& text) {
    try {
      read(text);
    } catch (const ConfigError&) {
    }
  };
  test::Mutator mutator{kSeed, kTomlWords};
  for (int i = 0; i < 6000; ++i) {
    const std::string text = mutator.damaged(dense);
    INFO("seed " << kSeed << ", input " << i << ": " << text);
    REQUIRE_NOTHROW(read_part(text));
  }
}

TEST_CASE("a damaged preset file is read or refused") {
  const test::TemporaryDirectory dir;
  const Counts counts =
      fuzz({"base = \"tiny\"\nbatch = 64\nroute_scale = 2.5\nlayers = 2\nwindow = 16\ncompress_ratios = "
            "[4, 128, 0]\n"},
           kTomlWords, 4000, [&](const std::string& text) { static_cast<void>(preset(dir.write("p.toml", text))); });
  CHECK(counts.read > 0);
}

TEST_CASE("damaged dimensions of a layer in JSON are read or refused") {
  const test::TemporaryDirectory dir;
  Metadata metadata;
  add_config(metadata, preset("tiny"));
  const Counts counts = fuzz({metadata.at("config")}, kJsonWords, 3000, [&](const std::string& text) {
    Metadata damaged = metadata;
    damaged["config"] = text;
    static_cast<void>(config_from_metadata(damaged, "f"));
    static_cast<void>(preset(dir.write("layer.json", text)));
  });
  CHECK(counts.read > 0);
}

TEST_CASE("a damaged --args text is read or refused") {
  const Counts counts = fuzz({"x=bf16:2x16x32:0.5", "n=-3", "x=i8:4:iota"}, {"=", ":", "x", "f32", "0", "random"}, 4000,
                             [](const std::string& text) { static_cast<void>(parse_argument(text)); });
  CHECK(counts.read > 0);
}

TEST_CASE("a damaged --set text is read or refused") {
  const Counts counts = fuzz({"core.clock_mhz=1800", "link.gb_per_s=50.5"}, kTomlWords, 300,
                             [](const std::string& text) { static_cast<void>(model::load_machine("a2a3", {text})); });
  CHECK(counts.read > 0);
}

TEST_CASE("a damaged --trace-window is read or refused, and any --vcd-scope matches or not") {
  const Counts counts = fuzz({"100:200", "0:18446744073709551615"}, {":", "0x", "-"}, 2000,
                             [](const std::string& text) { static_cast<void>(traces::parse_window(text)); });
  CHECK(counts.read > 0);
  test::Mutator mutator{kSeed, test::kOddTexts};
  for (int i = 0; i < 2000; ++i) {
    const std::string text = mutator.damaged("card0.cluster3.aic*,card1.*.mte?");
    INFO("seed " << kSeed << ": " << text);
    static_cast<void>(traces::ScopePattern{text}.matches("card0.cluster3.aic.mte2"));
  }
}

}  // namespace npu::orch
