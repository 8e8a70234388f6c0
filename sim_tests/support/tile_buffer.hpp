// A tile with memory of its own for tests of instruction semantics: padded lines, guard bytes, access by value.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "isa/numerics/numerics.hpp"
#include "isa/semantics/semantics.hpp"

namespace npu::test {

class TileBuffer {
 public:
  /// Lines are `padding` elements apart; everything outside the lines holds a guard value.
  TileBuffer(std::uint32_t rows, std::uint32_t cols, isa::DType dtype, isa::Layout layout = isa::Layout::ND,
             std::uint32_t padding = 3) {
    const std::uint32_t length = isa::is_column_major(layout) ? rows : cols;
    const std::uint32_t lines = isa::is_column_major(layout) ? cols : rows;
    const std::uint32_t pitch = (length + padding) * isa::size_of(dtype);
    bytes_.assign(std::size_t{pitch} * (lines + 2), kGuard);
    view_ = {bytes_.data() + pitch, pitch, rows, cols, dtype, layout};
  }
  TileBuffer(const TileBuffer&) = delete;
  TileBuffer& operator=(const TileBuffer&) = delete;

  [[nodiscard]] const isa::TileView& view() const { return view_; }

  /// The element as a double (exact for all types but large i64).
  [[nodiscard]] double get(std::uint32_t r, std::uint32_t c) const {
    using isa::DType;
    switch (view_.dtype) {
      case DType::I8:
        return view_.at<std::int8_t>(r, c);
      case DType::U8:
        return view_.at<std::uint8_t>(r, c);
      case DType::I16:
        return view_.at<std::int16_t>(r, c);
      case DType::I32:
        return view_.at<std::int32_t>(r, c);
      case DType::I64:
        return static_cast<double>(view_.at<std::int64_t>(r, c));
      case DType::F16:
        return static_cast<double>(isa::to_float(view_.at<isa::Fp16>(r, c)));
      case DType::BF16:
        return static_cast<double>(isa::to_float(view_.at<isa::Bf16>(r, c)));
      case DType::F32:
        return static_cast<double>(view_.at<float>(r, c));
    }
    return 0;
  }
  void set(std::uint32_t r, std::uint32_t c, double x) {
    using isa::DType;
    switch (view_.dtype) {
      case DType::I8:
        view_.at<std::int8_t>(r, c) = static_cast<std::int8_t>(x);
        break;
      case DType::U8:
        view_.at<std::uint8_t>(r, c) = static_cast<std::uint8_t>(x);
        break;
      case DType::I16:
        view_.at<std::int16_t>(r, c) = static_cast<std::int16_t>(x);
        break;
      case DType::I32:
        view_.at<std::int32_t>(r, c) = static_cast<std::int32_t>(x);
        break;
      case DType::I64:
        view_.at<std::int64_t>(r, c) = static_cast<std::int64_t>(x);
        break;
      case DType::F16:
        view_.at<isa::Fp16>(r, c) = isa::to_fp16(static_cast<float>(x));
        break;
      case DType::BF16:
        view_.at<isa::Bf16>(r, c) = isa::to_bf16(static_cast<float>(x));
        break;
      case DType::F32:
        view_.at<float>(r, c) = static_cast<float>(x);
        break;
    }
  }
  /// Random values of a moderate range, never zero.
  void randomise(unsigned seed, double low = -8, double high = 8) {
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> uniform{low, high};
    for (std::uint32_t r = 0; r < view_.rows; ++r) {
      for (std::uint32_t c = 0; c < view_.cols; ++c) {
        set(r, c, uniform(random));
        if (get(r, c) == 0) set(r, c, 1);
      }
    }
  }
  /// All memory, guards included, for comparisons of bits.
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }
  /// True if nothing outside the lines was written.
  [[nodiscard]] bool guards_intact() const {
    const std::size_t used = std::size_t{view_.line_length()} * isa::size_of(view_.dtype);
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const std::size_t line = i / view_.pitch;
      const bool inside = line >= 1 && line <= view_.lines() && i % view_.pitch < used;
      if (!inside && bytes_[i] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr std::byte kGuard{0xa5};
  std::vector<std::byte> bytes_;
  isa::TileView view_;
};

/// Runs one instruction on up to three tiles.
inline void run(isa::Instruction ins, const isa::TileView& t0, const isa::TileView& t1 = {},
                const isa::TileView& t2 = {}, std::int64_t scalar = 0) {
  isa::Operands o;
  o.t = {t0, t1, t2};
  o.scalar = scalar;
  isa::execute(ins, o);
}
inline std::int64_t float_scalar(float x) { return std::bit_cast<std::int32_t>(x); }

}  // namespace npu::test
