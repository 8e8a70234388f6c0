// A whole file as read-only memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

namespace npu::orch {

/// Who shortens the file meanwhile takes pages out of the mapping: they read as zeros then, and the process is asked to
/// stop (stop_signal), for no result is worth anything any more.
class MappedFile {
 public:
  /// Throws ConfigError where the path is not a readable regular file or the file is longer than `max_bytes`. Never
  /// waits, whatever the path names. An empty file has no bytes.
  [[nodiscard]] static std::shared_ptr<const MappedFile> open(
      const std::string& path, std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  /// The path of a file of this process that became shorter under its mapping; empty while none did.
  [[nodiscard]] static std::string shrunk();

 private:
  MappedFile(std::span<const std::byte> bytes, const std::string& path);
  std::span<const std::byte> bytes_;
  std::size_t slot_ = 0;  ///< of the table that the handler of SIGBUS looks into
};

}  // namespace npu::orch
