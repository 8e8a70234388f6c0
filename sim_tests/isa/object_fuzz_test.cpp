#include <catch2/catch.hpp>

#include <boost/crc.hpp>

#include <string>
#include <vector>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/isa/random_kernel.hpp"

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

void mutate(Random& random, std::vector<std::byte>& file) {
  const auto position = [&] {
    return static_cast<std::size_t>(uniform(random, 0, static_cast<std::int64_t>(file.size()) - 1));
  };
  switch (uniform(random, 0, 4)) {
    case 0:
      file[position()] ^= static_cast<std::byte>(1 << uniform(random, 0, 7));
      break;
    case 1:
      file[position()] = static_cast<std::byte>(uniform(random, 0, 255));
      break;
    case 2:
      file.resize(position());
      break;
    case 3:
      file.insert(file.begin() + static_cast<std::ptrdiff_t>(position()),
                  static_cast<std::byte>(uniform(random, 0, 255)));
      break;
    default: {  // a huge or tiny count
      const std::size_t at = position();
      for (std::size_t i = at; i < at + 4 && i < file.size(); ++i)
        file[i] = uniform(random, 0, 1) == 0 ? std::byte{0} : std::byte{0xff};
      break;
    }
  }
}

}  // namespace

TEST_CASE("The object reader survives thousands of damaged files and only throws what it documents") {
  Random random{1};
  int refused = 0, accepted = 0;
  for (int base = 0; base < 12; ++base) {
    const KernelObject object = random_kernel(random);
    const std::vector<std::byte> good = encode(object, "a2a3");
    for (int trial = 0; trial < 500; ++trial) {
      std::vector<std::byte> file = good;
      const std::int64_t mutations = uniform(random, 1, 3);
      for (std::int64_t i = 0; i < mutations && !file.empty(); ++i) mutate(random, file);
      if (uniform(random, 0, 3) != 0) repair_header(file);
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
