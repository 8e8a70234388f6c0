// Buffered text output for large traces: no allocation and no format string per event.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace npu::traces {

/// A file that is written once, from front to back. A write that fails is remembered and reported by close(): the
/// run that is being traced goes on, and its other results are kept.
class TextFile {
 public:
  /// Creates or replaces the file. Throws ConfigError naming it and the reason.
  explicit TextFile(std::string path);
  [[nodiscard]] const std::string& path() const { return path_; }

  void put(char c) {
    if (used_ == buffer_.size()) spill();
    buffer_[used_++] = c;
  }
  void put(std::string_view text) {
    if (text.size() > buffer_.size() - used_) return put_large(text);
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  void put_number(std::uint64_t value);
  /// value / 1000 with exactly three decimals.
  void put_thousandths(std::uint64_t value);

  /// Writes what is buffered. Throws ConfigError if this or an earlier write failed. Further calls do nothing.
  void close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void spill();
  void put_large(std::string_view text);

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
  int failure_ = 0;  ///< errno of the first failed write
};

}  // namespace npu::traces
