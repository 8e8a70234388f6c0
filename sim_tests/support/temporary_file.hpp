// A file name of its own for each test case, removed afterwards with the view that a waveform leaves beside it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace npu::test {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& ending)
      : path_{std::filesystem::temp_directory_path() /
              ("npusim_test_" + std::to_string(::getpid()) + "_" + std::to_string(next_number()) + ending)} {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(beside(".gtkw"), ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  /// The same name with another extension.
  [[nodiscard]] std::string beside(const std::string& extension) const {
    return std::filesystem::path{path_}.replace_extension(extension).string();
  }
  [[nodiscard]] std::string text() const { return text_of(path_); }
  [[nodiscard]] static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

 private:
  static int next_number() {
    static int number = 0;
    return number++;
  }
  std::filesystem::path path_;
};

}  // namespace npu::test
