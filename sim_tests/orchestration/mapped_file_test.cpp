#include "orchestration/data/mapped_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "isa/errors.hpp"
#include "isa/stop_signal.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {

using test::TemporaryDirectory;

TEST_CASE("a mapped file has the bytes of the file, up to the limit that its reader sets") {
  const TemporaryDirectory d;
  const std::string path = d.write("f", "four");
  const auto file = MappedFile::open(path, 4);
  CHECK(file->bytes().size() == 4);
  CHECK(file->bytes()[1] == std::byte{'o'});
  CHECK_THROWS_WITH(MappedFile::open(path, 3), path + ": has 4 bytes; a file of this kind has at most 3");
  CHECK(MappedFile::open(d.write("empty", ""), 0)->bytes().empty());
}

TEST_CASE("what is no regular file is refused without waiting for it") {
  const TemporaryDirectory d;
  REQUIRE(::mkfifo(d.file("fifo").c_str(), 0600) == 0);
  for (const std::string& path : {d.file("fifo"), d.file(""), std::string{"/dev/zero"}}) {
    CHECK_THROWS_WITH(MappedFile::open(path), Catch::Contains(path) && Catch::Contains("is not a regular file"));
  }
  CHECK_THROWS_AS(MappedFile::open(d.file("absent")), ConfigError);
}

TEST_CASE("pages that leave a mapped file read as zeros, name the file and ask the process to stop") {
  const TemporaryDirectory d;
  const std::size_t size = 3 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::string path = d.write("f", std::string(size, 'x'));
  const auto file = MappedFile::open(path), other = MappedFile::open(d.write("g", std::string(size, 'y')));
  CHECK(MappedFile::shrunk().empty());
  CHECK_NOTHROW(throw_if_stopped());
  std::filesystem::resize_file(path, 0);
  const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
  CHECK(std::all_of(file->bytes().begin(), file->bytes().end(), is_zero));
  CHECK(std::none_of(other->bytes().begin(), other->bytes().end(), is_zero));
  CHECK(MappedFile::shrunk() == path);
  CHECK(stop_signal.load() == SIGBUS);
  CHECK_THROWS_AS(throw_if_stopped(), Interrupted);
  stop_signal = 0;
}

}  // namespace npu::orch
