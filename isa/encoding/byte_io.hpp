// Little-endian integers and strings in a byte buffer; the reader never leaves it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "isa/errors.hpp"

namespace npu::isa {

class ByteWriter {
 public:
  template <std::integral T>
  void put(T value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_.push_back(static_cast<std::byte>(bits >> (8 * i)));
  }
  /// Length in 32 bits, then the bytes.
  void put_string(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    for (const char c : text) bytes_.push_back(static_cast<std::byte>(c));
  }
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads a part of a file. Throws ConfigError naming file and offset when the part is too short.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view file_name, std::size_t file_offset = 0)
      : bytes_{bytes}, file_name_{file_name}, file_offset_{file_offset} {}

  template <std::integral T>
  [[nodiscard]] T get() {
    require(sizeof(T));
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bits = static_cast<std::make_unsigned_t<T>>(
          bits |
          static_cast<std::make_unsigned_t<T>>(static_cast<std::make_unsigned_t<T>>(bytes_[at_ + i]) << (8 * i)));
    }
    at_ += sizeof(T);
    return static_cast<T>(bits);
  }
  [[nodiscard]] std::string get_string() {
    const auto bytes = take(get<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// A reader of the next `size` bytes, which this one skips.
  [[nodiscard]] ByteReader sub_reader(std::size_t size) {
    const std::size_t begin = offset();
    return {take(size), file_name_, begin};
  }

  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  [[nodiscard]] std::span<const std::byte> rest() const { return bytes_.subspan(at_); }
  [[nodiscard]] std::size_t offset() const { return file_offset_ + at_; }  ///< in the file
  [[nodiscard]] std::string_view file_name() const { return file_name_; }

 private:
  void require(std::size_t size) const {
    if (size <= remaining()) return;
    throw config_error("{}: offset {}: truncated: {} bytes wanted, {} left", file_name_, offset(), size, remaining());
  }
  std::span<const std::byte> take(std::size_t size) {
    require(size);
    const auto bytes = bytes_.subspan(at_, size);
    at_ += size;
    return bytes;
  }

  std::span<const std::byte> bytes_;
  std::string_view file_name_;
  std::size_t file_offset_;
  std::size_t at_ = 0;
};

}  // namespace npu::isa
