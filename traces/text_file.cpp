#include "traces/text_file.hpp"

#include <algorithm>
#include <utility>

#include "isa/errors.hpp"

namespace npu::traces {
namespace {

constexpr std::size_t kBufferBytes = 4 * TextFile::kLineBytes;

}  // namespace

TextFile::TextFile(std::string path, std::uint64_t limit_bytes)
    : file_{std::move(path)}, limit_bytes_{limit_bytes}, buffer_(kBufferBytes) {}

void TextFile::spill() {
  file_.write(std::string_view{buffer_.data(), used_});
  spilt_ += used_;
  used_ = 0;
  is_full_ = spilt_ >= limit_bytes_;
}

void TextFile::put(std::string_view text) {
  while (!text.empty()) {
    if (used_ == buffer_.size()) spill();
    const std::size_t part = std::min(text.size(), buffer_.size() - used_);
    std::memcpy(buffer_.data() + used_, text.data(), part);
    used_ += part;
    text.remove_prefix(part);
  }
}

void TextFile::close() {
  spill();
  try {
    file_.finish();
  } catch (const ConfigError& error) {
    throw config_error(
        "trace file {}. Free space, choose another file, or record less (--trace-window, --vcd-scope, --vcd-level)",
        error.what());
  }
}

}  // namespace npu::traces
