#include "traces/output_file.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "isa/errors.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::traces {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t files_in(const TemporaryDirectory& d) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{d.file("")}, fs::directory_iterator{}));
}

TEST_CASE("an output file has its name once it is finished, and the earlier file until then", "[file]") {
  const TemporaryDirectory d;
  const std::string path = d.write("f", "earlier");
  OutputFile file{path};
  file.write("later");
  CHECK(text_of(path) == "earlier");
  CHECK(files_in(d) == 2);
  file.finish();
  file.finish();
  CHECK(text_of(path) == "later");
  CHECK(files_in(d) == 1);
}

TEST_CASE("an output file that nobody finishes leaves nothing", "[file]") {
  const TemporaryDirectory d;
  {
    OutputFile file{d.file("f")};
    file.write("text");
  }
  CHECK(files_in(d) == 0);
}

TEST_CASE("two files of one name are each whole, the last to finish stays", "[file]") {
  const TemporaryDirectory d;
  OutputFile one{d.file("f")}, two{d.file("f")};
  one.write("one");
  two.write("two");
  two.finish();
  one.finish();
  CHECK(text_of(d.file("f")) == "one");
  CHECK(files_in(d) == 1);
}

TEST_CASE("a name as long as the file system allows can be written", "[file]") {
  const TemporaryDirectory d;
  const std::string path = d.file(std::string(255, 'n'));
  write_file(path, "text");
  CHECK(text_of(path) == "text");
}

TEST_CASE("an output file follows links to where nothing is yet", "[file]") {
  const TemporaryDirectory d;
  fs::create_directory(d.file("sub"));
  fs::create_symlink("sub/f", d.file("link"));
  write_file(d.file("link"), "text");
  CHECK(fs::is_symlink(d.file("link")));
  CHECK(text_of(d.file("sub/f")) == "text");
}

TEST_CASE("an output file that cannot be is refused with the reason", "[file][negative]") {
  const TemporaryDirectory d;
  CHECK_THROWS_WITH(OutputFile{d.file("none/f")}, Catch::Contains("none/f: cannot be created (No such file"));
  CHECK_THROWS_WITH(OutputFile{d.file("")}, Catch::Contains("Is a directory"));
  CHECK_THROWS_AS(OutputFile{""}, ConfigError);
  fs::create_symlink("loop", d.file("loop"));
  CHECK_THROWS_AS(OutputFile{d.file("loop")}, ConfigError);
  OutputFile full{"/dev/full"};
  full.write("text");
  CHECK_THROWS_WITH(full.finish(), "/dev/full: writing failed after 0 bytes (No space left on device)");
}

}  // namespace
}  // namespace npu::traces
