#include "traces/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "isa/errors.hpp"

namespace npu::traces {
namespace {

constexpr std::size_t kBufferBytes = 4 * TextFile::kLineBytes;

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

TextFile::TextFile(std::string path)
    : path_{std::move(path)}, file_{std::fopen(path_.c_str(), "wb")}, buffer_(kBufferBytes) {
  if (!file_) {
    throw config_error("trace file {}: cannot be created ({}); choose a file in a directory that can be written", path_,
                       reason(errno));
  }
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

void TextFile::spill() {
  if (failure_ == 0 && used_ > 0) {
    errno = 0;
    const std::size_t done = std::fwrite(buffer_.data(), 1, used_, file_.get());
    written_ += done;
    if (done != used_) failure_ = errno != 0 ? errno : EIO;
  }
  used_ = 0;
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
  if (!file_) return;
  spill();
  errno = 0;
  if (std::fclose(file_.release()) != 0 && failure_ == 0) failure_ = errno != 0 ? errno : EIO;
  if (failure_ != 0) {
    throw config_error(
        "trace file {}: writing failed after {} bytes ({}); the file is incomplete. Free space, choose another file, "
        "or "
        "record less (--trace-window, --vcd-scope, --vcd-level)",
        path_, written_, reason(failure_));
  }
}

}  // namespace npu::traces
