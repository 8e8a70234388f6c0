// A named array on the host: what files hold, generators make and devices are filled with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "isa/types.hpp"

namespace npu::orch {

using Shape = std::vector<std::uint64_t>;

/// "[2, 16, 4]".
[[nodiscard]] std::string to_string(const Shape& shape);
/// Product of the extents; ConfigError naming `owner` where it exceeds 64 bits.
[[nodiscard]] std::uint64_t element_count(const Shape& shape, std::string_view owner);

/// Bytes of that many elements; ConfigError naming `owner` where they exceed 63 bits.
[[nodiscard]] std::uint64_t byte_count(isa::DType dtype, const Shape& shape, std::string_view owner);

/// The dtype whose elements a C++ type stores.
template <class T>
[[nodiscard]] constexpr isa::DType dtype_of() {
  if constexpr (std::is_same_v<T, std::int8_t>) {
    return isa::DType::I8;
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return isa::DType::U8;
  } else if constexpr (std::is_same_v<T, std::int16_t>) {
    return isa::DType::I16;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return isa::DType::I32;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return isa::DType::I64;
  } else if constexpr (std::is_same_v<T, isa::Fp16>) {
    return isa::DType::F16;
  } else if constexpr (std::is_same_v<T, isa::Bf16>) {
    return isa::DType::BF16;
  } else {
    static_assert(std::is_same_v<T, float>, "no dtype stores this type");
    return isa::DType::F32;
  }
}

/// Row-major bytes with a dtype and a shape. Copies share the bytes; a tensor made by zeros() may be written, one made
/// by view() (a mapped file, a slice) may not. Bytes of zeros() that nobody touches occupy no memory.
class Tensor {
 public:
  Tensor() = default;
  [[nodiscard]] static Tensor zeros(std::string name, isa::DType dtype, Shape shape);
  /// `owner` keeps `bytes` alive. The bytes must be aligned to the element and match dtype and shape.
  [[nodiscard]] static Tensor view(std::string name, isa::DType dtype, Shape shape, std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] isa::DType dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::uint64_t elements() const { return bytes_.size() / isa::size_of(dtype_); }
  /// Extent of the last axis (1 for a scalar) and the number of such rows.
  [[nodiscard]] std::uint64_t row_length() const { return shape_.empty() ? 1 : shape_.back(); }
  [[nodiscard]] std::uint64_t row_count() const { return row_length() == 0 ? 0 : elements() / row_length(); }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::span<std::byte> writable_bytes();

  /// Elements as T; ConfigError naming the tensor where the dtype is another one.
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    require_dtype(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes_.data()), elements()};
  }
  template <class T>
  [[nodiscard]] std::span<T> writable() {
    require_dtype(dtype_of<T>());
    return {reinterpret_cast<T*>(writable_bytes().data()), elements()};
  }

  /// Read-only view of entry `index` along the first axis, or of entries [begin, end).
  [[nodiscard]] Tensor slice(std::uint64_t index) const;
  [[nodiscard]] Tensor slice(std::uint64_t begin, std::uint64_t end) const;
  [[nodiscard]] bool shares_bytes_with(const Tensor& other) const { return bytes_.data() == other.bytes_.data(); }

 private:
  void require_dtype(isa::DType wanted) const;

  std::string name_;
  isa::DType dtype_ = isa::DType::F32;
  Shape shape_{0};
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  std::byte* writable_ = nullptr;  ///< null: the bytes are read-only
};

/// Copies the pieces that differ: what is zero on both sides stays without memory. Both have one size.
void copy_differences(std::span<std::byte> to, std::span<const std::byte> from);

}  // namespace npu::orch
