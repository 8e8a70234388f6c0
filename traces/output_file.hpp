// A file that a run leaves: whole under its name, or not there at all.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace npu::traces {

/// Written aside in the directory of its name and put under the name by finish(), so that readers of the name, and
/// whoever stops the run, meet the earlier file or the new one and nothing between. The name may be a link, which stays
/// one. What is no regular file (a FIFO, a terminal, /dev/stdout) is written in place.
class OutputFile {
 public:
  /// Throws ConfigError naming the path and the reason; what has the name is as it was.
  explicit OutputFile(std::string path);
  /// Leaves nothing where nobody finished.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// A write that fails is remembered and reported by finish(); what follows it is dropped.
  void write(std::string_view text);
  void write(std::span<const std::byte> bytes) {
    write(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  /// Throws ConfigError if this or a write failed; what has the name is as it was then. Further calls do nothing.
  void finish();

 private:
  void open_aside();
  [[noreturn]] void refuse(int error) const;

  std::string path_;
  std::string target_;  ///< path_ with links followed
  std::string aside_;   ///< empty where the target is written in place
  int descriptor_ = -1;
  int failure_ = 0;  ///< errno of the first failed write
  std::uint64_t written_ = 0;
};

/// The whole file at once.
void write_file(const std::string& path, std::string_view text);

}  // namespace npu::traces
