// Thousands of damaged files: each is read or refused with a ConfigError, never anything else.
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "isa/errors.hpp"
#include "orchestration/data/safetensors.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

std::string good_file() {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]},"c":{"dtype":"BF16","shape":[],"data_offsets":[19,21]}})";
  std::string bytes(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(bytes.data(), &n, sizeof n);
  return bytes + header + std::string(21, 'x');
}

/// One to four random edits: a changed byte, a removed or doubled piece, a swapped digit.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return random() % n; };
  for (std::size_t edits = 1 + below(4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = below(bytes.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(8, bytes.size() - at));
    switch (below(4)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes.erase(at, length);
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, length));
        break;
      default:
        bytes[at] = "0123456789{}[],:\"-.e"[below(20)];
        break;
    }
  }
  return bytes;
}

TEST_CASE("a damaged file is read or refused, never more") {
  const test::TemporaryDirectory dir;
  const std::string good = good_file();
  CHECK(read_safetensors(dir.write("good", good)).tensors.size() == 3);
  std::mt19937 random{20240607};
  int refused = 0;
  constexpr int kFiles = 4000;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = dir.write("damaged", damaged(good, random));
    try {
      const SafetensorsFile f = read_safetensors(path);
      for (const Tensor& t : f.tensors)
        REQUIRE(t.bytes().size() == element_count(t.shape(), t.name()) * isa::size_of(t.dtype()));
    } catch (const ConfigError& e) {
      ++refused;
      REQUIRE(std::string{e.what()}.starts_with(path));
    }
  }
  CHECK(refused > kFiles / 2);
  CHECK(refused < kFiles);
}

}  // namespace
}  // namespace npu::orch
