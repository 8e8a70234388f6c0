// Quantities that must not mix: cycles of the core clock and bytes. Explicit in, count() out.
#pragma once

#include <compare>
#include <cstdint>

namespace npu::isa {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  explicit constexpr Quantity(std::uint64_t count) : count_{count} {}
  [[nodiscard]] constexpr std::uint64_t count() const { return count_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity o) {
    count_ += o.count_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity{a.count_ + b.count_}; }
  friend constexpr Quantity operator*(std::uint64_t k, Quantity q) { return Quantity{k * q.count_}; }

 private:
  std::uint64_t count_ = 0;
};

/// Cycles of the core clock (AIC and AIV share it).
using Cycles = Quantity<struct CyclesTag>;
using Bytes = Quantity<struct BytesTag>;

/// end - begin; the caller guarantees begin <= end.
template <class Tag>
[[nodiscard]] constexpr Quantity<Tag> elapsed(Quantity<Tag> begin, Quantity<Tag> end) {
  return Quantity<Tag>{end.count() - begin.count()};
}
[[nodiscard]] constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t a, std::uint64_t b) { return ceil_div(a, b) * b; }
/// Bytes from the first to the last of `lines` pieces of `line_bytes`, `pitch` bytes apart.
[[nodiscard]] constexpr std::uint64_t extent_of_lines(std::uint64_t lines, std::uint64_t line_bytes,
                                                      std::uint64_t pitch) {
  return lines == 0 || line_bytes == 0 ? 0 : (lines - 1) * pitch + line_bytes;
}

namespace literals {
constexpr Cycles operator""_cyc(unsigned long long n) { return Cycles{n}; }
constexpr Bytes operator""_B(unsigned long long n) { return Bytes{n}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return Bytes{n * 1024}; }
}  // namespace literals

}  // namespace npu::isa
