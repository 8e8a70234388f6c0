// Reading and writing safetensors; every kind of broken file is refused with a clear message.
#include "orchestration/data/safetensors.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "isa/errors.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;

std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(bytes.data(), &n, sizeof n);
  bytes += header;
  for (std::size_t i = 0; i < data_bytes; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

/// Reads a file with this header and so many data bytes.
SafetensorsFile read(const std::string& header, std::size_t data_bytes) {
  const test::TemporaryDirectory dir;
  return read_safetensors(dir.write("case.safetensors", file_of(header, data_bytes)));
}

TEST_CASE("tensors and metadata survive writing and reading") {
  const test::TemporaryDirectory dir;
  const std::vector<float> a{1.0F, 2.0F};
  const std::vector<float> b{3.0F};
  const std::vector<std::int64_t> c{-1, 5};
  const std::vector<TensorRecord> records{
      {"joined", isa::DType::F32, {3}, {std::as_bytes(std::span{a}), std::as_bytes(std::span{b})}},
      {"empty", isa::DType::BF16, {0, 4}, {}},
      {"c", isa::DType::I64, {2, 1}, {std::as_bytes(std::span{c})}}};
  const std::string path = dir.file("t.safetensors");
  write_safetensors(path, {{"style", "plain \"quoted\""}}, records);
  const SafetensorsFile f = read_safetensors(path);
  CHECK(f.metadata.at("style") == "plain \"quoted\"");
  REQUIRE(f.tensors.size() == 3);
  REQUIRE(f.find("joined") != nullptr);
  CHECK(f.find("joined")->as<float>()[2] == 3.0F);
  CHECK(f.find("empty")->shape() == Shape{0, 4});
  CHECK(f.find("c")->as<std::int64_t>()[1] == 5);
  CHECK(f.find("nothing") == nullptr);
  CHECK_THROWS_WITH(static_cast<void>(f.find("c")->as<float>()), Contains("'c'") && Contains("i64") && Contains("f32"));
}

TEST_CASE("views outlive the file object") {
  const test::TemporaryDirectory dir;
  const std::vector<std::int32_t> v{1, 2, 3, 4};
  const std::string path = dir.file("t.safetensors");
  write_safetensors(path, {}, std::vector<TensorRecord>{{"v", isa::DType::I32, {2, 2}, {std::as_bytes(std::span{v})}}});
  const Tensor row = read_safetensors(path).find("v")->slice(1);
  CHECK(row.shape() == Shape{2});
  CHECK(row.as<std::int32_t>()[0] == 3);
}

TEST_CASE("a tensor whose offset is not aligned is still readable") {
  const auto f = read(
      R"({"b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"I32","shape":[1],"data_offsets":[1,5]}})",
      5);
  CHECK(f.find("w")->as<std::int32_t>()[0] == 0x04030201);
}

TEST_CASE("truncated files are refused") {
  const test::TemporaryDirectory dir;
  const std::string good = file_of(R"({"w":{"dtype":"I32","shape":[4],"data_offsets":[0,16]}})", 16);
  CHECK_NOTHROW(read_safetensors(dir.write("good", good)));
  for (std::size_t n = 0; n < good.size(); ++n) {
    INFO(n);
    CHECK_THROWS_AS(read_safetensors(dir.write("cut", good.substr(0, n))), ConfigError);
  }
  CHECK_THROWS_WITH(read_safetensors(dir.write("cut", good.substr(0, good.size() - 1))),
                    Contains("cut") && Contains("'w'") && Contains("end at 16") && Contains("15 bytes"));
  CHECK_THROWS_WITH(read_safetensors(dir.file("absent")), Contains("absent") && Contains("cannot be opened"));
  CHECK_THROWS_WITH(read_safetensors(dir.file("")), Contains("not a regular file"));
}

TEST_CASE("a header length beyond the limit or the file is refused") {
  const test::TemporaryDirectory dir;
  CHECK_THROWS_WITH(read_safetensors(dir.write("huge", std::string(64, '\xff'))), Contains("limit is 100000000"));
  CHECK_THROWS_WITH(read_safetensors(dir.write("long", std::string{"\x40\0\0\0\0\0\0\0{}", 10})),
                    Contains("header length is 64") && Contains("2 bytes follow"));
}

TEST_CASE("a header that is no JSON object of tensors is refused") {
  CHECK_THROWS_WITH(read("{", 0), Contains("not valid JSON"));
  CHECK_THROWS_WITH(read("[1]", 0), Contains("not a JSON object"));
  CHECK_THROWS_WITH(read(R"({"w":3})", 0), Contains("'w'") && Contains("expected exactly"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"I8","shape":[0],"data_offsets":[0,0],"more":1}})", 0),
                    Contains("expected exactly"));
  CHECK_THROWS_WITH(read(R"({"__metadata__":{"a":1}})", 0), Contains("'a' must be a string"));
  CHECK_THROWS_WITH(read(R"({"__metadata__":[]})", 0), Contains("object of strings"));
  CHECK_THROWS_WITH(read(" {}", 0), Contains("must begin with '{'"));
  CHECK_THROWS_WITH(read("", 0), Contains("must begin with '{'"));
  CHECK_NOTHROW(read("{}", 0));
  CHECK_NOTHROW(read("{}   ", 0));
  CHECK_THROWS_AS(read(std::string(100000, '['), 0), ConfigError);
}

TEST_CASE("a name that occurs twice is refused") {
  CHECK_THROWS_WITH(
      read(
          R"({"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})",
          1),
      Contains("names 'w' twice"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"I8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
                    Contains("names 'dtype' twice"));
}

TEST_CASE("dtype, shape and offsets must agree") {
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8),
                    Contains("'F64'") && Contains("BF16"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":7,"shape":[1],"data_offsets":[0,8]}})", 8), Contains("dtype"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
                    Contains("'w'") && Contains("[3]") && Contains("span 8 bytes"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), Contains("shape must be"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8), Contains("shape must be"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), Contains("begin <= end"));
  CHECK_THROWS_WITH(read(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", 8), Contains("begin <= end"));
  CHECK_THROWS_AS(read(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
                  ConfigError);
  CHECK_THROWS_AS(read(R"({"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0), ConfigError);
}

TEST_CASE("overlaps, gaps and bytes of nobody are refused") {
  const std::string a = R"("a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]})";
  const auto b = [](int begin) {
    return fmt::format(R"("b":{{"dtype":"I8","shape":[4],"data_offsets":[{},{}]}})", begin, begin + 4);
  };
  CHECK_NOTHROW(read("{" + b(4) + "," + a + "}", 8));
  CHECK_THROWS_WITH(read("{" + a + "," + b(3) + "}", 8), Contains("'b'") && Contains("overlaps 'a'"));
  CHECK_THROWS_WITH(read("{" + a + "," + b(0) + "}", 8), Contains("overlaps 'a'"));
  CHECK_THROWS_WITH(read("{" + a + "," + b(5) + "}", 9), Contains("leaving 1 bytes after 'a'"));
  CHECK_THROWS_WITH(read("{" + a + "}", 8), Contains("4 bytes follow the last tensor"));
}

}  // namespace
}  // namespace npu::orch
