// The bytes of one on-chip buffer of a core.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace npu::model {

/// Zero at the start. The host provides a page when it is first touched, so that a space costs what programs use of it,
/// whatever its capacity.
class LocalSpace {
 public:
  LocalSpace() = default;
  /// Throws std::bad_alloc.
  explicit LocalSpace(std::size_t bytes) : bytes_{static_cast<std::byte*>(std::calloc(bytes, 1)), &std::free} {
    if (bytes_ == nullptr) throw std::bad_alloc{};
  }
  [[nodiscard]] std::byte* data() const { return bytes_.get(); }

 private:
  std::unique_ptr<std::byte, void (*)(void*)> bytes_{nullptr, &std::free};
};

}  // namespace npu::model
