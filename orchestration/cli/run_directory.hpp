// The directory that a run leaves its results in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace npu::cli {

/// Held by one run at a time. An earlier run's summary is gone once it is held, so that it cannot pass for this run's.
class RunDirectory {
 public:
  /// The wanted directory, or a new one: build_output/<workload>_<timestamp>, numbered where that exists. Throws
  /// ConfigError where it cannot be made or written, or where another run holds it.
  RunDirectory(const std::optional<std::string>& wanted, const std::string& workload);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
  int lock_ = -1;  ///< descriptor of the directory itself
};

/// Makes the directory where it is missing; ConfigError naming the flag and the reason.
void make_directory(const std::filesystem::path& path, const char* flag);

}  // namespace npu::cli
