// Compression of output on its way to a file.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace npu::traces {

/// One gzip stream (RFC 1952), compressed for speed: the text of a trace shrinks to less than a tenth.
class Gzip {
 public:
  Gzip();
  /// Takes `text` and returns what is ready to be written; valid until the next call.
  [[nodiscard]] std::string_view compress(std::string_view text) { return deflated(text, false); }
  /// The rest of the stream. Text may not follow.
  [[nodiscard]] std::string_view finish() { return deflated({}, true); }

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  [[nodiscard]] std::string_view deflated(std::string_view text, bool last);

  std::unique_ptr<z_stream_s, End> stream_;
  std::vector<char> output_;
};

}  // namespace npu::traces
