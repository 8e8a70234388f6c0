#include "orchestration/data/random_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "isa/errors.hpp"
#include "orchestration/data/parallel.hpp"

namespace npu::orch {
namespace {

constexpr std::uint16_t kMagnitudeMask = 0x7FFF;
constexpr std::uint16_t kSignBit = 0x8000;
constexpr float kSmallestAmax = 1e-4F;
constexpr float kLargestCode = 127.0F;
/// Adding and subtracting it rounds a float of magnitude below 2^22 to the nearest integer, ties to even.
constexpr float kRoundingConstant = 12582912.0F;

float bf16_value(std::uint16_t magnitude, std::uint16_t sign) {
  return isa::to_float(isa::Bf16{static_cast<std::uint16_t>(magnitude | sign)});
}

/// Elements of the tensor in pieces that fit the first-level cache.
constexpr std::uint64_t kPiece = 4096;

template <class Element, class Lookup>
void fill_elements(std::span<Element> out, const RandomStream& stream, unsigned threads, const Lookup& lookup) {
  const std::uint64_t pieces = (out.size() + kPiece - 1) / kPiece;
  parallel_rows(pieces, kPiece, threads, [&](std::uint64_t begin, std::uint64_t end) {
    std::vector<std::uint16_t> codes(kPiece);
    for (std::uint64_t piece = begin; piece < end; ++piece) {
      const std::uint64_t first = piece * kPiece;
      const auto part = std::span{codes}.first(std::min<std::uint64_t>(kPiece, out.size() - first));
      stream.fill(first, part);
      for (std::size_t i = 0; i < part.size(); ++i) out[first + i] = lookup(part[i]);
    }
  });
}

struct Quantiser {
  float multiplier;  ///< 127 / amax
  float scale;       ///< 1 / multiplier
};
Quantiser quantiser_of(float amax) {
  const float multiplier = kLargestCode / std::max(amax, kSmallestAmax);
  return {multiplier, 1.0F / multiplier};
}

template <Ties kTies>
std::int8_t quantise(float w, float multiplier) {
  const float scaled = w * multiplier;
  const float rounded = kTies == Ties::Even ? (scaled + kRoundingConstant) - kRoundingConstant
                                            : std::trunc(scaled + std::copysign(0.5F, scaled));
  return static_cast<std::int8_t>(static_cast<int>(std::clamp(rounded, -kLargestCode, kLargestCode)));
}

/// The magnitudes ascend with the code, so a row's largest value is found on the codes.
std::uint16_t largest_magnitude(std::span<const std::uint16_t> codes) {
  std::uint16_t largest = 0;
  for (const std::uint16_t c : codes) largest = std::max(largest, static_cast<std::uint16_t>(c & kMagnitudeMask));
  return largest;
}

/// int8 values of all magnitudes, for rows whose largest magnitude has a given code. Most rows of a large tensor share
/// one of some hundred, so a row then costs a look-up per element.
template <Ties kTies>
class QuantisedMagnitudes {
 public:
  explicit QuantisedMagnitudes(const std::vector<std::uint16_t>& magnitudes)
      : magnitudes_{magnitudes}, tables_(kMagnitudes) {}

  [[nodiscard]] const std::int8_t* table(std::uint16_t largest, float multiplier) {
    std::vector<std::int8_t>& values = tables_[largest];
    if (values.empty()) {
      values.resize(kMagnitudes);
      for (std::size_t i = 0; i < kMagnitudes; ++i) {
        values[i] = quantise<kTies>(bf16_value(magnitudes_[i], 0), multiplier);
      }
    }
    return values.data();
  }

 private:
  const std::vector<std::uint16_t>& magnitudes_;
  std::vector<std::vector<std::int8_t>> tables_;
};

template <Ties kTies>
void quantise_rows(std::span<std::int8_t> weight, std::span<float> scale, const RandomStream& stream,
                   const std::vector<std::uint16_t>& magnitudes, unsigned threads) {
  const std::uint64_t columns = weight.size() / scale.size();
  parallel_rows(scale.size(), columns, threads, [&](std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint64_t kRowsWorthTables = 1024;
    std::vector<std::uint16_t> codes(columns);
    QuantisedMagnitudes<kTies> quantised{magnitudes};
    for (std::uint64_t row = begin; row < end; ++row) {
      stream.fill(row * columns, codes);
      const std::uint16_t largest = largest_magnitude(codes);
      const Quantiser q = quantiser_of(bf16_value(magnitudes[largest], 0));
      scale[row] = q.scale;
      std::int8_t* out = weight.data() + row * columns;
      if (end - begin >= kRowsWorthTables) {
        const std::int8_t* value = quantised.table(largest, q.multiplier);
        for (std::size_t i = 0; i < columns; ++i) {
          const std::int32_t v = value[codes[i] & kMagnitudeMask];
          const std::int32_t negative = -static_cast<std::int32_t>(codes[i] >> 15U);  // 0 or -1: rounding is symmetric
          out[i] = static_cast<std::int8_t>((v ^ negative) - negative);
        }
        continue;
      }
      for (std::size_t i = 0; i < columns; ++i) {
        const auto sign = static_cast<std::uint16_t>(codes[i] & kSignBit);
        out[i] = quantise<kTies>(bf16_value(magnitudes[codes[i] & kMagnitudeMask], sign), q.multiplier);
      }
    }
  });
}

/// Two passes over a band of columns: the codes are made twice instead of being kept.
template <Ties kTies>
void quantise_columns(std::span<std::int8_t> weight, std::span<float> scale, const RandomStream& stream,
                      const std::vector<std::uint16_t>& magnitudes, unsigned threads) {
  const std::uint64_t columns = scale.size();
  const std::uint64_t rows = weight.size() / columns;
  constexpr std::uint64_t kBand = 1024;
  const std::uint64_t bands = (columns + kBand - 1) / kBand;
  parallel_rows(bands, rows * kBand, threads, [&](std::uint64_t begin, std::uint64_t end) {
    std::vector<std::uint16_t> codes(kBand);
    std::vector<std::uint16_t> largest(kBand);
    std::vector<float> multiplier(kBand);
    for (std::uint64_t band = begin; band < end; ++band) {
      const std::uint64_t first = band * kBand;
      const auto part = std::span{codes}.first(std::min<std::uint64_t>(kBand, columns - first));
      std::fill(largest.begin(), largest.end(), std::uint16_t{0});
      for (std::uint64_t row = 0; row < rows; ++row) {
        stream.fill(row * columns + first, part);
        for (std::size_t i = 0; i < part.size(); ++i) {
          largest[i] = std::max(largest[i], static_cast<std::uint16_t>(part[i] & kMagnitudeMask));
        }
      }
      for (std::size_t i = 0; i < part.size(); ++i) {
        const Quantiser q = quantiser_of(bf16_value(magnitudes[largest[i]], 0));
        multiplier[i] = q.multiplier;
        scale[first + i] = q.scale;
      }
      for (std::uint64_t row = 0; row < rows; ++row) {
        stream.fill(row * columns + first, part);
        std::int8_t* out = weight.data() + row * columns + first;
        for (std::size_t i = 0; i < part.size(); ++i) {
          const auto sign = static_cast<std::uint16_t>(part[i] & kSignBit);
          out[i] = quantise<kTies>(bf16_value(magnitudes[part[i] & kMagnitudeMask], sign), multiplier[i]);
        }
      }
    }
  });
}

}  // namespace

void fill_normal(Tensor& tensor, const RandomStream& stream, double gain, unsigned threads) {
  if (tensor.dtype() == isa::DType::BF16) {
    const auto magnitudes = scaled_magnitudes_bf16(gain);
    fill_elements(tensor.writable<isa::Bf16>(), stream, threads, [&](std::uint16_t code) {
      return isa::Bf16{static_cast<std::uint16_t>(magnitudes[code & kMagnitudeMask] | (code & kSignBit))};
    });
  } else {
    const auto magnitudes = scaled_magnitudes(gain);
    fill_elements(tensor.writable<float>(), stream, threads, [&](std::uint16_t code) {
      const float z = magnitudes[code & kMagnitudeMask];
      return (code & kSignBit) != 0 ? -z : z;
    });
  }
}

void fill_unit_rms_rows(Tensor& tensor, const RandomStream& stream, std::uint64_t first, std::uint64_t count) {
  const auto magnitudes = scaled_magnitudes(1.0);
  const std::uint64_t width = tensor.row_length();
  const auto out = tensor.writable<isa::Bf16>().subspan(first * width, count * width);
  std::vector<std::uint16_t> codes(width);
  std::vector<float> row(width);
  for (std::uint64_t r = 0; r < count; ++r) {
    stream.fill((first + r) * width, codes);
    float squares = 0.0F;
    for (std::size_t i = 0; i < width; ++i) {
      const float z = magnitudes[codes[i] & kMagnitudeMask];
      row[i] = (codes[i] & kSignBit) != 0 ? -z : z;
      squares += z * z;
    }
    const float rms = std::sqrt(squares / static_cast<float>(width));
    for (std::size_t i = 0; i < width; ++i) out[r * width + i] = finite_to_bf16(row[i] / rms);
  }
}

void fill_quantised(Tensor& weight, Tensor& scale, const RandomStream& stream, double gain, QuantAxis axis, Ties ties,
                    unsigned threads) {
  NPU_ASSERT(scale.elements() != 0 && weight.elements() % scale.elements() == 0, "one scale per row or column");
  const auto magnitudes = scaled_magnitudes_bf16(gain);
  const bool even = ties == Ties::Even;
  const auto quantise_all = axis == QuantAxis::Rows
                                ? (even ? quantise_rows<Ties::Even> : quantise_rows<Ties::Away>)
                                : (even ? quantise_columns<Ties::Even> : quantise_columns<Ties::Away>);
  quantise_all(weight.writable<std::int8_t>(), scale.writable<float>(), stream, magnitudes, threads);
}

}  // namespace npu::orch
