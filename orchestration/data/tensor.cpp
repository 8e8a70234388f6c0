#include "orchestration/data/tensor.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"

namespace npu::orch {

std::string to_string(const Shape& shape) { return fmt::format("{}", shape); }

std::uint64_t element_count(const Shape& shape, std::string_view owner) {
  std::uint64_t n = 1;
  for (const std::uint64_t extent : shape) {
    if (__builtin_mul_overflow(n, extent, &n)) {
      throw config_error("{}: shape {} has more elements than 64 bits can count", owner, isa::shown(to_string(shape)));
    }
  }
  return n;
}

std::uint64_t byte_count(isa::DType dtype, const Shape& shape, std::string_view owner) {
  std::uint64_t bytes = 0;
  // Half of what 64 bits count: sizes are also differences of addresses.
  if (__builtin_mul_overflow(element_count(shape, owner), std::uint64_t{isa::size_of(dtype)}, &bytes) ||
      bytes > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    throw config_error("{}: {} {} has more bytes than 63 bits can count", owner, isa::name_of(dtype),
                       isa::shown(to_string(shape)));
  }
  return bytes;
}

Tensor Tensor::zeros(std::string name, isa::DType dtype, Shape shape) {
  Tensor t;
  const std::uint64_t size = byte_count(dtype, shape, name);
  auto* memory = static_cast<std::byte*>(std::calloc(size == 0 ? 1 : size, 1));
  if (memory == nullptr) {
    throw config_error("tensor '{}' {} {}: the host has no {} bytes left; choose a smaller preset or batch", name,
                       isa::name_of(dtype), to_string(shape), size);
  }
  t.name_ = std::move(name);
  t.dtype_ = dtype;
  t.shape_ = std::move(shape);
  t.owner_ = std::shared_ptr<std::byte>(memory, std::free);
  t.bytes_ = {memory, size};
  t.writable_ = memory;
  return t;
}

Tensor Tensor::view(std::string name, isa::DType dtype, Shape shape, std::span<const std::byte> bytes,
                    std::shared_ptr<const void> owner) {
  NPU_ASSERT(byte_count(dtype, shape, name) == bytes.size(), "a view's bytes match its shape");
  NPU_ASSERT(reinterpret_cast<std::uintptr_t>(bytes.data()) % isa::size_of(dtype) == 0, "a view is aligned");
  Tensor t;
  t.name_ = std::move(name);
  t.dtype_ = dtype;
  t.shape_ = std::move(shape);
  t.owner_ = std::move(owner);
  t.bytes_ = bytes;
  return t;
}

std::span<std::byte> Tensor::writable_bytes() {
  NPU_ASSERT(writable_ != nullptr || bytes_.empty(), "only a tensor that owns its bytes is written");
  return {writable_, bytes_.size()};
}

Tensor Tensor::slice(std::uint64_t begin, std::uint64_t end) const {
  NPU_ASSERT(!shape_.empty() && begin <= end && end <= shape_.front(), "a slice lies inside the first axis");
  const std::uint64_t stride = shape_.front() == 0 ? 0 : bytes_.size() / shape_.front();
  Shape part = shape_;
  part.front() = end - begin;
  return view(name_, dtype_, std::move(part), bytes_.subspan(begin * stride, (end - begin) * stride), owner_);
}

Tensor Tensor::slice(std::uint64_t index) const {
  Tensor t = slice(index, index + 1);
  t.shape_.erase(t.shape_.begin());
  return t;
}

void Tensor::require_dtype(isa::DType wanted) const {
  if (dtype_ != wanted) {
    throw config_error("tensor '{}' holds {}, not {}", name_, isa::name_of(dtype_), isa::name_of(wanted));
  }
}

void copy_differences(std::span<std::byte> to, std::span<const std::byte> from) {
  NPU_ASSERT(to.size() == from.size(), "source and destination have one size");
  constexpr std::size_t kPiece = 4096;
  for (std::size_t at = 0; at < from.size(); at += kPiece) {
    const std::size_t size = std::min(kPiece, from.size() - at);
    if (std::memcmp(to.data() + at, from.data() + at, size) != 0) std::memcpy(to.data() + at, from.data() + at, size);
  }
}

}  // namespace npu::orch
