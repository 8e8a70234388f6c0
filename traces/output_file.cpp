#include "traces/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "isa/errors.hpp"
#include "isa/stop_signal.hpp"

namespace npu::traces {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kNewFile = 0666;        ///< cut by the umask
constexpr mode_t kPermissions = 07777;   ///< of st_mode
constexpr std::size_t kNameBytes = 200;  ///< of the name, so that the name aside stays below the usual limit of 255
constexpr int kMostLinks = 40;           ///< as the kernel has it
constexpr int kMostNames = 1000;         ///< tried for one file aside

std::string reason(int error) { return std::generic_category().message(error); }

/// Descriptors of this process by path: what they name has an open file already.
bool names_descriptor(const std::string& path) { return path.starts_with("/proc/") || path.starts_with("/dev/fd/"); }

std::string without_links(const std::string& path) {
  fs::path target{path};
  std::error_code error;
  for (int i = 0; i < kMostLinks && !names_descriptor(target.string()); ++i) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;  // no link
    target = target.parent_path() / next;
  }
  return target.string();
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_{std::move(path)}, target_{without_links(path_)} {
  if (path_.empty()) throw config_error("an output file needs a name; the one given is empty");
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) refuse(errno);
  if (exists && S_ISDIR(status.st_mode)) refuse(EISDIR);
  if ((exists && !S_ISREG(status.st_mode)) || names_descriptor(target_)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  } else if (exists && ::access(target_.c_str(), W_OK) != 0) {
    refuse(errno);
  } else {
    open_aside();
    if (exists && descriptor_ >= 0) static_cast<void>(::fchmod(descriptor_, status.st_mode & kPermissions));
  }
  if (descriptor_ < 0) refuse(errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!aside_.empty()) ::unlink(aside_.c_str());
}

void OutputFile::open_aside() {
  const fs::path target{target_};
  const std::string stem = fmt::format("{}.part-{}", target.filename().string().substr(0, kNameBytes), ::getpid());
  for (int i = 0; i < kMostNames; ++i) {
    aside_ = (target.parent_path() / (i == 0 ? stem : fmt::format("{}-{}", stem, i))).string();
    descriptor_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFile);
    if (descriptor_ >= 0 || errno != EEXIST) return;
  }
}

void OutputFile::refuse(int error) const {
  throw config_error("{}: cannot be created ({}); choose a file in a directory that can be written", path_,
                     reason(error));
}

void OutputFile::write(std::string_view text) {
  while (!text.empty() && failure_ == 0) {
    const ssize_t done = ::write(descriptor_, text.data(), text.size());
    if (done > 0) {
      written_ += static_cast<std::uint64_t>(done);
      text.remove_prefix(static_cast<std::size_t>(done));
    } else if (done == 0 || errno != EINTR || stop_signal != 0) {  // who waits for a reader must still end
      failure_ = done == 0 ? EIO : errno;
    }
  }
}

void OutputFile::finish() {
  if (descriptor_ < 0) return;
  if (::close(std::exchange(descriptor_, -1)) != 0 && failure_ == 0) failure_ = errno;
  if (failure_ == 0 && !aside_.empty() && std::rename(aside_.c_str(), target_.c_str()) != 0) failure_ = errno;
  if (failure_ == 0) return;
  if (aside_.empty()) throw config_error("{}: writing failed after {} bytes ({})", path_, written_, reason(failure_));
  ::unlink(aside_.c_str());
  throw config_error("{}: writing failed after {} bytes ({}); nothing of it is kept", path_, written_,
                     reason(failure_));
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile file{path};
  file.write(text);
  file.finish();
}

}  // namespace npu::traces
