// Files made to break a reader: deep, long, huge or not text at all. Each ends in a short message and in little time.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "model/config/machine.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/kernel_case.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/safetensors.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string with_header(const std::string& header) {
  std::string bytes(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(bytes.data(), &n, sizeof n);
  return bytes + header;
}

/// Refused with a message of a few lines that holds the text.
template <class Read>
void check_short_refusal(const Read& read, const std::string& message) {
  try {
    read();
    FAIL("accepted; expected: " << message);
  } catch (const ConfigError& e) {
    CHECK_THAT(e.what(), Contains(message));
    CHECK(std::strlen(e.what()) < 1000);
  }
}

template <class Work>
double seconds_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST_CASE("JSON nested deeper than any file of this project is refused in headers, metadata and presets") {
  const test::TemporaryDirectory dir;
  const std::string deep = repeated("[", 200'000) + repeated("]", 200'000);
  const auto read = [&](const std::string& header) {
    return [&dir, header] { return read_safetensors(dir.write("f", with_header(header))); };
  };
  check_short_refusal(read("{\"w\":" + deep + "}"), "nests deeper than 16 levels");
  check_short_refusal(read("{\"w\":" + repeated("{\"a\":", 200'000)), "nests deeper than 16 levels");
  check_short_refusal(
      [&] {
        return config_from_metadata({{"config", "{\"n_ranks\":" + deep + "}"}}, "f");
      },
      "f: metadata 'config' nests deeper than 16 levels");
  check_short_refusal([&] { return preset(dir.write("layer.json", "{\"n_ranks\":" + deep + "}")); },
                      "nests deeper than 16 levels");
  check_short_refusal(
      [&] {
        return config_from_metadata({{"config", R"({"n_ranks":[[1,2],3]})"}}, "f");
      },
      "got an array of 2");
  check_short_refusal(
      [&] {
        return config_from_metadata({{"config", "{\"n_ranks\":\"" + repeated("x", 100'000) + "\"}"}}, "f");
      },
      "xxx...");
}

TEST_CASE("TOML that is too deep, too long or outside of what keys may hold is refused in machines and presets") {
  const test::TemporaryDirectory dir;
  const auto check = [&](const std::string& text, const std::string& message) {
    INFO(text.substr(0, 40));
    const std::string path = dir.write("f.toml", text);
    check_short_refusal([&] { return model::load_machine(path, {}); }, message);
    check_short_refusal([&] { return preset(path); }, message);
  };
  check(repeated("a.", 200'000) + "a = 1", "f.toml:1: a key of more than 16 names");
  check("[" + repeated("a.", 200'000) + "a]", "f.toml:1: a key of more than 16 names");
  check("\na = " + repeated("[", 200'000), "f.toml:2: more than 16 brackets in one another");
  check("a = " + repeated("{a = ", 200'000), "f.toml:1: more than 16 brackets in one another");
  check("a = '" + repeated("x", 2'000'000) + "'", "has more than 1048576 bytes");
  check("\xc3\xa9 = 1", "f.toml:1: byte 0xc3 outside of strings");
  for (const char* text : {"[.a]", "[[[a]]]", "[\\u1]", "a = ]", "a = 1979-05-27Ttrue", ".a = 1"}) {
    check(text, "f.toml");
  }
  check_short_refusal([] { return model::load_machine("/dev/zero", {}); }, "");
  check_short_refusal([] { return preset("/dev/zero"); }, "is not a regular file");
  const std::string fifo = dir.file("fifo.toml");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  check_short_refusal([&] { return model::load_machine(fifo, {}); }, "is not a regular file");
  check_short_refusal([&] { return preset(fifo); }, "is not a regular file");
}

TEST_CASE("a long name costs no time and fills no message") {
  const test::TemporaryDirectory dir;
  const std::string name = repeated("n", 900'000);
  CHECK(seconds_of([&] {
          check_short_refusal([&] { return model::load_machine(dir.write("f.toml", name + " = 1"), {}); }, "nnn...");
          check_short_refusal([&] { return preset(dir.write("f.toml", "base = \"tiny\"\n" + name + " = 1")); },
                              "nnn...");
          check_short_refusal([&] { return model::load_machine("a2a3", {name + "=1"}); }, "nnn...");
          check_short_refusal([&] { return preset(name); }, "nnn...");
          check_short_refusal([&] { return parse_argument(name); }, "nnn...");
          check_short_refusal([&] { return read_safetensors(dir.write("f", with_header("{\"" + name + "\":1}"))); },
                              "nnn...");
        }) < 5.0);
  const std::vector<std::string_view> names{"tiny", "small"};
  CHECK(isa::nearest_name("smal" + name, names) == "small");
}

TEST_CASE("the time to read a header grows with its tensors, not with their square") {
  const test::TemporaryDirectory dir;
  const auto file_of = [&](int tensors) {
    std::string header = "{";
    for (int i = 0; i < tensors; ++i) {
      header +=
          fmt::format("{}\"t{}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", i == 0 ? "" : ",", i);
    }
    return dir.write(fmt::format("f{}", tensors), with_header(header + "}"));
  };
  const std::string small = file_of(4'000), large = file_of(40'000);
  const double first = seconds_of([&] { CHECK(read_safetensors(small).tensors.size() == 4'000); });
  const double second = seconds_of([&] { CHECK(read_safetensors(large).tensors.size() == 40'000); });
  CHECK(second < 40 * std::max(first, 0.005));  // a hundred, if it were the square
}

TEST_CASE("names that are no UTF-8 or hold control characters are refused or shown escaped") {
  const test::TemporaryDirectory dir;
  check_short_refusal([&] { return read_safetensors(dir.write("f", with_header("{\"a\xff\":1}"))); }, "not valid JSON");
  check_short_refusal([&] { return read_safetensors(dir.write("f", with_header(R"({"\u001b[31m":1})"))); },
                      "tensor '\\x1b[31m'");
  check_short_refusal([&] { return preset(dir.write("f.toml", "base = \"tiny\"\n\"\\u001b\" = 1\n")); }, "\\x1b");
  check_short_refusal([&] { return model::load_machine("a2a3", {"\x1b=1"}); }, "\\x1b");
}

TEST_CASE("sizes beyond what can be counted are refused, never wrapped") {
  CHECK_THROWS_WITH(parse_argument("x=f32:4611686018427388416"), Contains("has more bytes than 63 bits can count"));
  CHECK_THROWS_WITH(parse_argument("x=i8:9223372036854775808"), Contains("63 bits"));
  CHECK_THROWS_WITH(parse_argument("x=i8:4294967296x4294967296"), Contains("64 bits"));
  CHECK_THROWS_WITH(parse_argument("x=i8:18446744073709551616"), Contains("no positive integer"));
  CHECK_THROWS_AS(Tensor::zeros("x", isa::DType::F32, {std::uint64_t{1} << 61U}), ConfigError);
  const test::TemporaryDirectory dir;
  const auto refused = [&](const std::string& lines, const std::string& message) {
    CHECK_THROWS_WITH(preset(dir.write("p.toml", "base = \"tiny\"\n" + lines)), Contains(message));
  };
  refused("batch = 16777216\nseq = 16\n", "ranks 2 x batch 16777216 x seq 16 x top_k 3 exceeds 268435456");
  refused("recv_max = 16777216\nlocal_experts = 64\nexperts = 128\n", "local_experts 64 x recv_max 16777216 exceeds");
  refused("heads = 16777216\n", "heads 16777216 x head_dim 32 exceeds");
}

}  // namespace
}  // namespace npu::orch
