// Buffered text output for large traces: no allocation and no format string per event.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "traces/gzip.hpp"
#include "traces/output_file.hpp"

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
  /// value / 1024, exactly.
  void put_1024ths(std::uint64_t value) {
    constexpr std::uint64_t kFiveToTheTenth = 9'765'625;  // 1 / 1024 = 5^10 / 10^10
    put_number(value / 1024);
    const std::uint64_t fraction = value % 1024;
    if (fraction == 0) return;
    const int zeros = std::countr_zero(fraction);
    const int digits = 10 - zeros;
    std::uint64_t rest = (fraction >> zeros) * kFiveToTheTenth;
    for (int i = 0; i < zeros; ++i) rest /= 5;
    at_[0] = '.';
    for (int i = digits; i > 0; --i, rest /= 10) at_[i] = static_cast<char>('0' + rest % 10);
    at_ += digits + 1;
  }

  /// More than any number takes.
  static constexpr std::size_t kNumberBytes = 24;

 private:
  char* at_;
};

/// A file that is written once, from front to back, compressed if its name ends in `.gz`. A write that fails is
/// remembered and reported by close(): the run that is being traced goes on, and its other results are kept.
class TextFile {
 public:
  static constexpr std::size_t kLineBytes = std::size_t{1} << 16;
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  /// Throws ConfigError naming the path and the reason. Beyond about `limit_bytes` lines are left out, so that a run
  /// without end does not fill the disk; what put() writes, the frame of the file, is always there.
  explicit TextFile(std::string path, std::uint64_t limit_bytes = kNoLimit);
  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// Whether lines were left out.
  [[nodiscard]] bool is_cut() const { return is_cut_; }

  /// A place for at most `bytes` (<= kLineBytes) that commit() makes part of the file.
  [[nodiscard]] Pen line(std::size_t bytes) {
    if (bytes > buffer_.size() - used_) spill();
    return Pen{buffer_.data() + used_};
  }
  void commit(const Pen& pen) {
    if (is_full_) {
      is_cut_ = true;
    } else {
      used_ = static_cast<std::size_t>(pen.position() - buffer_.data());
    }
  }
  void put(std::string_view text);

  /// Writes what is buffered and puts the file under its name; a file that nobody closes leaves nothing. Throws
  /// ConfigError if this or an earlier write failed.
  void close();

 private:
  void spill();

  OutputFile file_;
  std::uint64_t limit_bytes_;
  std::unique_ptr<Gzip> gzip_;  ///< null: the text as it is
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::uint64_t spilt_ = 0;
  bool is_full_ = false, is_cut_ = false, is_closed_ = false;
};

}  // namespace npu::traces
