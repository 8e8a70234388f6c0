#include <catch2/catch.hpp>

#include <boost/crc.hpp>

#include <string>
#include <vector>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/isa/random_kernel.hpp"
#include "sim_tests/support/mutator.hpp"

namespace npu::isa {
namespace {

void put_u32(std::vector<std::byte>& file, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i));
}

/// Makes size and checksum match, so that a mutation reaches the code behind them.
void repair_header(std::vector<std::byte>& file) {
  constexpr std::size_t kBody = kObjectChecksumOffset + 4;
  if (file.size() < kBody) return;
  put_u32(file, kObjectChecksumOffset - 4, static_cast<std::uint32_t>(file.size()));
  boost::crc_32_type crc;
  crc.process_bytes(file.data() + kBody, file.size() - kBody);
  put_u32(file, kObjectChecksumOffset, crc.checksum());
}

std::string as_text(const std::vector<std::byte>& file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}
std::vector<std::byte> as_bytes(const std::string& text) {
  const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace

TEST_CASE("The object reader survives thousands of damaged files and only throws what it documents") {
  constexpr std::uint32_t kSeed = 1;
  Random random{kSeed};
  test::Mutator mutator{kSeed, test::kOddTexts};
  int refused = 0, accepted = 0;
  for (int base = 0; base < 12; ++base) {
    const std::string good = as_text(encode(random_kernel(random), "a2a3"));
    for (int trial = 0; trial < 500; ++trial) {
      std::vector<std::byte> file = as_bytes(mutator.damaged(good));
      if (mutator.below(4) != 0) repair_header(file);
      INFO("seed " << kSeed << ", input " << base << "/" << trial);
      try {
        const KernelObject read = decode(file, "fuzz.npuo");
        ++accepted;
        require_structure(read);
        // What is accepted is canonical: writing it again gives the same bytes.
        REQUIRE(encode(read, decode_target(file, "fuzz.npuo")) == file);
      } catch (const ConfigError& error) {
        ++refused;
        REQUIRE(std::string{error.what()}.find("fuzz.npuo: offset ") == 0);
      } catch (const ProgramError& error) {
        ++refused;
        REQUIRE(std::string{error.what()}.find("fuzz.npuo: offset ") == 0);
      }
    }
  }
  CHECK(refused > 1000);
  CHECK(accepted > 100);
}

TEST_CASE("Every truncation of a file is refused as such") {
  Random random{2};
  KernelObject object = random_kernel(random);
  for (auto* part : {&object.cube, &object.vector}) {
    if (*part) (*part)->code.resize(1, Instruction{}), (*part)->code[0] = Instruction{}, (*part)->source_lines.clear();
  }
  const std::vector<std::byte> good = encode(object, "a2a3");
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::vector<std::byte> file(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(decode(file, "cut.npuo"), ConfigError);
    repair_header(file);
    CHECK_THROWS_AS(decode(file, "cut.npuo"), ConfigError);
  }
}

}  // namespace npu::isa
