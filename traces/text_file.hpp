// Buffered text output for large traces: no allocation and no format string per event.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace npu::traces {

/// Writes text to memory that is known to be large enough.
class Pen {
 public:
  explicit Pen(char* at) : at_{at} {}
  [[nodiscard]] char* position() const { return at_; }

  void put(char c) { *at_++ = c; }
  void put(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put_number(std::uint64_t value) { at_ = std::to_chars(at_, at_ + kNumberBytes, value).ptr; }
  /// value / 1000 with exactly three decimals.
  void put_thousandths(std::uint64_t value) {
    put_number(value / 1000);
    const auto fraction = static_cast<unsigned>(value % 1000);
    at_[0] = '.';
    at_[1] = static_cast<char>('0' + fraction / 100);
    at_[2] = static_cast<char>('0' + fraction / 10 % 10);
    at_[3] = static_cast<char>('0' + fraction % 10);
    at_ += 4;
  }

  /// More than any number takes.
  static constexpr std::size_t kNumberBytes = 24;

 private:
  char* at_;
};

/// A file that is written once, from front to back. A write that fails is remembered and reported by close(): the
/// run that is being traced goes on, and its other results are kept.
class TextFile {
 public:
  static constexpr std::size_t kLineBytes = std::size_t{1} << 16;

  /// Creates or replaces the file. Throws ConfigError naming it and the reason.
  explicit TextFile(std::string path);
  [[nodiscard]] const std::string& path() const { return path_; }

  /// A place for at most `bytes` (<= kLineBytes) that commit() makes part of the file.
  [[nodiscard]] Pen line(std::size_t bytes) {
    if (bytes > buffer_.size() - used_) spill();
    return Pen{buffer_.data() + used_};
  }
  void commit(const Pen& pen) { used_ = static_cast<std::size_t>(pen.position() - buffer_.data()); }
  void put(std::string_view text);

  /// Writes what is buffered. Throws ConfigError if this or an earlier write failed. Further calls do nothing.
  void close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void spill();

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
  int failure_ = 0;  ///< errno of the first failed write
};

}  // namespace npu::traces
