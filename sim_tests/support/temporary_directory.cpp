#include "sim_tests/support/temporary_directory.hpp"

#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace npu::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "npusim_test_XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary directory: " + pattern};
  path_ = pattern;
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& content) const {
  const std::string path = file(name);
  std::ofstream{path, std::ios::binary} << content;
  return path;
}

}  // namespace npu::test
