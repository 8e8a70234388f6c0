#include "traces/text_file.hpp"

#include <algorithm>
#include <utility>

#include "isa/errors.hpp"

namespace npu::traces {
namespace {

constexpr std::size_t kBufferBytes = 4 * TextFile::kLineBytes;

}  // namespace

TextFile::TextFile(std::string path, std::uint64_t limit_bytes)
    : file_{std::move(path)}, limit_bytes_{limit_bytes}, buffer_(kBufferBytes) {
  if (file_.path().ends_with(".gz")) gzip_ = std::make_unique<Gzip>();
}

void TextFile::spill() {
  const std::string_view text{buffer_.data(), used_};
  file_.write(gzip_ ? gzip_->compress(text) : text);
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
  if (gzip_ && !is_closed_) file_.write(gzip_->finish());
  is_closed_ = true;
  try {
    file_.finish();
  } catch (const ConfigError& error) {
    throw config_error(
        "trace file {}. Free space, choose another file, or record less (--trace-level, --trace-window, --vcd-scope, "
        "--vcd-level)",
        error.what());
  }
}

}  // namespace npu::traces
