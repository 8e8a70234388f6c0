#include "orchestration/data/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

/// Closes the descriptor; a mapping outlives it.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path, std::uint64_t max_bytes) {
  // Without O_NONBLOCK a FIFO keeps its reader waiting for a writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) {
    throw config_error("{}: cannot be opened: {}", path, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) throw config_error("{}: is not a regular file", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) {
    throw config_error("{}: has {} bytes; a file of this kind has at most {}", path, size, max_bytes);
  }
  if (size == 0) return std::shared_ptr<const MappedFile>{new MappedFile{{}}};
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) throw config_error("{}: cannot be mapped: {}", path, std::strerror(errno));
  return std::shared_ptr<const MappedFile>{new MappedFile{{static_cast<const std::byte*>(memory), size}}};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace npu::orch
