#include "orchestration/cli/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

#include "isa/errors.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

/// A directory that did not exist before.
fs::path new_directory(const std::string& workload) {
  const fs::path parent{"build_output"};
  make_directory(parent, "the default --out");
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &utc);
  for (unsigned n = 1;; ++n) {
    const fs::path path = parent / fmt::format("{}_{}{}", workload, stamp, n == 1 ? "" : fmt::format("_{}", n));
    if (::mkdir(path.c_str(), 0777) == 0) return path;
    if (errno != EEXIST) {
      throw config_error("{}: cannot be created ({}); --out names another directory", path.string(), reason(errno));
    }
  }
}

}  // namespace

void make_directory(const fs::path& path, const char* flag) {
  if (path.empty()) throw config_error("{} needs the name of a directory; the one given is empty", flag);
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path)) error = std::make_error_code(std::errc::not_a_directory);
  if (!error && ::access(path.c_str(), W_OK | X_OK) != 0) error = {errno, std::generic_category()};
  if (error) {
    throw config_error("{} {}: cannot be made a directory for results ({}); choose another", flag, path.string(),
                       error.message());
  }
}

RunDirectory::RunDirectory(const std::optional<std::string>& wanted, const std::string& workload) {
  if (wanted) {
    make_directory(*wanted, "--out");
    path_ = *wanted;
  } else {
    path_ = new_directory(workload);
  }
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Where the file system knows no locks, the runs are not told apart.
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock_);
    throw config_error("--out {}: another run is writing there; choose another directory, or wait for its end",
                       path_.string());
  }
  std::error_code ignored;  // what cannot be removed cannot be replaced either, which is reported then
  fs::remove(file("summary.json"), ignored);
}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace npu::cli
