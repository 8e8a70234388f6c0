#include "traces/text_file.hpp"

#include <zlib.h>
#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "isa/errors.hpp"
#include "sim_tests/support/temporary_file.hpp"

namespace npu::traces {

using test::TemporaryFile;

TEST_CASE("a text file holds what was put into it, across the edges of its buffer", "[traces][file]") {
  const TemporaryFile temporary{".txt"};
  TextFile file{temporary.path()};
  std::string expected;
  const std::string long_text(3'000'000, 'x');
  for (std::uint64_t i = 0; i < 300'000; ++i) {
    Pen pen = file.line(64);
    pen.put_number(i);
    pen.put(' ');
    file.commit(pen);
    expected += std::to_string(i) + " ";
    if (i == 150'000) {
      file.put(long_text);
      expected += long_text;
    }
  }
  Pen pen = file.line(Pen::kNumberBytes);
  pen.put_number(std::numeric_limits<std::uint64_t>::max());
  file.commit(pen);
  expected += "18446744073709551615";
  file.close();
  file.close();
  CHECK(temporary.text() == expected);
}

TEST_CASE("a text file that is named .gz is compressed", "[traces][file]") {
  const TemporaryFile temporary{".json.gz"};
  TextFile file{temporary.path()};
  std::string expected;
  for (std::uint64_t i = 0; i < 200'000; ++i) expected += std::to_string(i * i) + "\n";
  file.put(expected);
  file.close();
  CHECK(temporary.text().size() < expected.size() / 2);
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> stream{gzopen(temporary.path().c_str(), "rb"), gzclose};
  std::string read(expected.size() + 1, '\0');
  CHECK(gzread(stream.get(), read.data(), static_cast<unsigned>(read.size())) == static_cast<int>(expected.size()));
  read.resize(expected.size());
  CHECK(read == expected);
}

TEST_CASE("1024ths are written exactly", "[traces][file]") {
  std::array<char, 256> memory{};
  Pen pen{memory.data()};
  for (const std::uint64_t value : {0ULL, 1ULL, 512ULL, 768ULL, 1023ULL, 1024ULL, 1024ULL * 1234 + 3}) {
    pen.put_1024ths(value);
    pen.put(' ');
  }
  const auto length = static_cast<std::size_t>(pen.position() - memory.data());
  CHECK(std::string(memory.data(), length) == "0 0.0009765625 0.5 0.75 0.9990234375 1 1234.0029296875 ");
}

TEST_CASE("a full disk is reported when the file is closed, with file, reason and way out", "[traces][negative]") {
  TextFile file{"/dev/full"};
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 4; ++i) file.put(block);
  CHECK_THROWS_WITH(file.close(), Catch::Contains("/dev/full") && Catch::Contains("No space left on device") &&
                                      Catch::Contains("--trace-window"));
}

TEST_CASE("a file that cannot be created is refused at once", "[traces][negative]") {
  CHECK_THROWS_AS(TextFile{"/nonexistent/directory/t.json"}, ConfigError);
}

}  // namespace npu::traces
