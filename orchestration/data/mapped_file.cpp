#include "orchestration/data/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include "isa/errors.hpp"
#include "isa/stop_signal.hpp"

namespace npu::orch {
namespace {

/// Closes the descriptor; a mapping outlives it.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// A mapping as the handler sees it; free where it has no begin.
struct Range {
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::string path;  ///< stays behind for shrunk()
};
constexpr std::size_t kMostMappings = 64;  ///< more are mapped all the same, and end the process if they shrink
std::array<Range, kMostMappings> ranges;
std::mutex ranges_mutex;
std::atomic<const Range*> shrunk_range{nullptr};
std::uintptr_t page_bytes = 0;

/// Puts a page of zeros where the file has none any more; the thread that touched it goes on to its next look at
/// stop_signal.
extern "C" void replace_lost_page(int number, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const Range& range : ranges) {
    if (address < range.begin || address >= range.end) continue;
    void* const page = reinterpret_cast<void*>(address / page_bytes * page_bytes);
    if (::mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    shrunk_range = &range;
    stop_signal = number;
    return;
  }
  std::signal(number, SIG_DFL);  // not ours: the access is repeated and ends the process
}

void handle_lost_pages() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = replace_lost_page;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

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
  if (size == 0) return std::shared_ptr<const MappedFile>{new MappedFile{{}, path}};
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) throw config_error("{}: cannot be mapped: {}", path, std::strerror(errno));
  return std::shared_ptr<const MappedFile>{new MappedFile{{static_cast<const std::byte*>(memory), size}, path}};
}

MappedFile::MappedFile(std::span<const std::byte> bytes, const std::string& path) : bytes_{bytes} {
  const std::scoped_lock lock{ranges_mutex};
  static const bool kHandles = (handle_lost_pages(), true);
  static_cast<void>(kHandles);
  while (slot_ < kMostMappings && ranges[slot_].begin != 0) ++slot_;
  if (bytes.empty() || slot_ == kMostMappings) {
    slot_ = kMostMappings;
    return;
  }
  Range& range = ranges[slot_];
  range.path = path;
  range.end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
  range.begin = reinterpret_cast<std::uintptr_t>(bytes.data());
}

MappedFile::~MappedFile() {
  if (slot_ != kMostMappings) ranges[slot_].begin = 0;
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string MappedFile::shrunk() {
  const Range* const range = shrunk_range;
  return range == nullptr ? std::string{} : range->path;
}

}  // namespace npu::orch
