// TCVT: every legal pair in every mode against the scalar conversions, illegal pairs refused.
#include <cmath>
#include <limits>
#include <utility>

#include "isa/errors.hpp"
#include "isa/numerics/host_variant.hpp"
#include "isa/numerics/rounding.hpp"
#include "sim_tests/support/tile_buffer.hpp"

namespace npu::isa {
namespace {

using test::TileBuffer;
constexpr DType kTypes[] = {DType::I8,  DType::U8,  DType::I16,  DType::I32,
                            DType::I64, DType::F16, DType::BF16, DType::F32};
constexpr std::pair<DType, DType> kLegal[] = {
    {DType::F32, DType::F16},  {DType::F32, DType::BF16}, {DType::F32, DType::F32}, {DType::F32, DType::I16},
    {DType::F32, DType::I32},  {DType::F32, DType::I64},  {DType::F16, DType::F32}, {DType::F16, DType::I32},
    {DType::F16, DType::I16},  {DType::F16, DType::I8},   {DType::F16, DType::U8},  {DType::BF16, DType::F32},
    {DType::BF16, DType::I32}, {DType::I32, DType::F32},  {DType::I32, DType::I16}, {DType::I32, DType::I64},
    {DType::I32, DType::F16},  {DType::I16, DType::F16},  {DType::I16, DType::F32}, {DType::I8, DType::F16},
    {DType::U8, DType::F16}};
constexpr RoundMode kModes[] = {RoundMode::None, RoundMode::Rint,  RoundMode::Round, RoundMode::Floor,
                                RoundMode::Ceil, RoundMode::Trunc, RoundMode::Odd};

std::pair<double, double> range_of(DType t) {
  switch (t) {
    case DType::I8:
      return {-128, 127};
    case DType::U8:
      return {0, 255};
    case DType::I16:
      return {-32768, 32767};
    case DType::I32:
      return {-2147483648.0, 2147483647.0};
    default:
      return {-9223372036854775808.0, 9223372036854774784.0};
  }
}

// The double x as fp32 in the mode (exact unless x is an int32 of more than 24 bits).
float to_f32(double x, RoundMode mode) {
  const float nearest = static_cast<float>(x);
  if (static_cast<double>(nearest) == x || std::isnan(x)) return nearest;
  const float zero = 0.0F, away = std::copysign(std::numeric_limits<float>::infinity(), nearest);
  const float low = std::abs(static_cast<double>(nearest)) > std::abs(x) ? std::nextafter(nearest, zero) : nearest;
  const float high = std::nextafter(low, away);
  const double middle = (static_cast<double>(low) + static_cast<double>(high)) / 2;
  switch (mode) {
    case RoundMode::None:
    case RoundMode::Rint:
      return nearest;
    case RoundMode::Round:
      return std::abs(x) >= std::abs(middle) ? high : low;
    case RoundMode::Floor:
      return x < 0 ? high : low;
    case RoundMode::Ceil:
      return x < 0 ? low : high;
    case RoundMode::Trunc:
      return low;
    case RoundMode::Odd:
      return (std::bit_cast<std::uint32_t>(low) & 1U) != 0 ? low : high;
  }
  return nearest;
}

double expected(double x, DType from, DType to, RoundMode mode) {
  if (to == DType::BF16) return static_cast<double>(to_float(to_bf16(static_cast<float>(x), mode)));
  if (to == DType::F16) return static_cast<double>(to_float(to_fp16(to_f32(x, mode), mode)));
  if (to == DType::F32 && from == DType::F32) return static_cast<double>(round_integral(static_cast<float>(x), mode));
  if (to == DType::F32) return static_cast<double>(to_f32(x, mode));
  if (std::isnan(x)) return 0;
  double whole = x;
  if (is_float(from))
    whole = static_cast<double>(round_integral(static_cast<float>(x), or_default(mode, RoundMode::Trunc)));
  return std::min(std::max(whole, range_of(to).first), to == DType::I64 ? 9223372036854775807.0 : range_of(to).second);
}

void fill(TileBuffer& src) {
  const DType type = src.view().dtype;
  const auto [low, high] = is_float(type) ? std::pair{-300.0, 300.0} : range_of(type);
  src.randomise(11, low, high);
  const double infinity = std::numeric_limits<double>::infinity();
  const double specials[] = {0.5, 1.5,  2.5, -0.5, -1.5, -2.5,  127.5, -128.5, 255.5, 32767.5,
                             1e9, -1e9, 3e9, -3e9, 1e20, -1e20, 65504, 65520,  1e-7,  -1e-7};
  std::uint32_t c = 0;
  if (is_float(type)) {
    for (const double s : specials) src.set(0, c++, s);
    for (const double s : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) src.set(0, c++, s);
  } else if (type == DType::I32) {
    for (const double s : {2049.0, 2051.0, -2049.0, 16777217.0, 16777219.0, -16777217.0, 65519.0, 65520.0})
      src.set(0, c++, s);
  }
}

}  // namespace

TEST_CASE("every legal cast agrees with the scalar conversions in every mode and variant", "[tcvt]") {
  const HostVariant usual = host_variant();
  for (const HostVariant v : {HostVariant::Baseline, HostVariant::Avx2, HostVariant::Avx512}) {
    if (!host_supports(v)) continue;
    select_host_variant(v);
    for (const auto& [from, to] : kLegal) {
      TileBuffer src{9, 53, from}, dst{9, 53, to};
      fill(src);
      for (const RoundMode mode : kModes) {
        CAPTURE(kHostVariantNames[index_of(v)], name_of(from), name_of(to), name_of(mode));
        test::run({.opcode = Opcode::TCvt, .mode = static_cast<std::uint8_t>(mode)}, dst.view(), src.view());
        std::size_t wrong = 0;
        for (std::uint32_t r = 0; r < 9; ++r) {
          for (std::uint32_t c = 0; c < 53; ++c) {
            const double want = expected(src.get(r, c), from, to, mode), got = dst.get(r, c);
            wrong += !(got == want || (std::isnan(got) && std::isnan(want)));
          }
        }
        CHECK(wrong == 0);
        CHECK(dst.guards_intact());
      }
    }
  }
  select_host_variant(usual);
}

TEST_CASE("a cast the card does not have is a program error that names the pair", "[tcvt]") {
  for (const DType from : kTypes) {
    for (const DType to : kTypes) {
      if (std::find(std::begin(kLegal), std::end(kLegal), std::pair{from, to}) != std::end(kLegal)) continue;
      TileBuffer src{1, 8, from}, dst{1, 8, to};
      CHECK_THROWS_AS(test::run({.opcode = Opcode::TCvt}, dst.view(), src.view()), ProgramError);
    }
  }
  TileBuffer src{1, 8, DType::F32}, dst{1, 8, DType::I8};
  CHECK_THROWS_WITH(test::run({.opcode = Opcode::TCvt}, dst.view(), src.view()), Catch::Contains("from f32 to i8"));
}

TEST_CASE("a cast over its own source reads before it writes", "[tcvt]") {
  TileBuffer src{4, 16, DType::BF16, Layout::ND, 16}, wanted{4, 16, DType::F32};
  src.randomise(1);
  test::run({.opcode = Opcode::TCvt}, wanted.view(), src.view());
  TileView wide = src.view();
  wide.dtype = DType::F32;
  test::run({.opcode = Opcode::TCvt}, wide, src.view());
  for (std::uint32_t r = 0; r < 4; ++r) {
    for (std::uint32_t c = 0; c < 16; ++c) CHECK(static_cast<double>(wide.at<float>(r, c)) == wanted.get(r, c));
  }
}

}  // namespace npu::isa
