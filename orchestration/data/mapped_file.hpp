// A whole file as read-only memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

namespace npu::orch {

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

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_{bytes} {}
  std::span<const std::byte> bytes_;
};

}  // namespace npu::orch
