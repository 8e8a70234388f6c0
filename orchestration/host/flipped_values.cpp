#include "orchestration/host/flipped_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "isa/numerics/numerics.hpp"

namespace npu::orch {
namespace {

constexpr std::array kProducts{
    QuantisedProduct{"mid.attn.attn_out", "o_i8", "o_scale", "wo_b", "wo_b_scale"},
    QuantisedProduct{"mid.moe.sh", "shared_h_i8", "shared_h_scale", "shared_w2", "shared_w2_scale"}};

/// More flips in a row than this are no flips of a rounding.
constexpr std::size_t kMostFlips = 64;

struct Flip {
  std::size_t column = 0;
  float change = 0.0F;  ///< of the integer
};

/// The product of one card.
class Product {
 public:
  Product(std::span<const std::int8_t> w, std::span<const float> w_scale)
      : w_{w}, w_scale_{w_scale}, outputs_{w_scale.size()}, inner_{w.size() / w_scale.size()}, norm_(inner_) {
    for (std::size_t i = 0; i < w_.size(); ++i) {
      const auto value = static_cast<float>(w_[i]);
      norm_[i % inner_] += value * value;
    }
  }

  [[nodiscard]] std::vector<float> multiply(std::span<const std::int8_t> x) const {
    std::vector<float> y(outputs_);
    for (std::size_t n = 0; n < outputs_; ++n) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < inner_; ++k) sum += std::int32_t{x[k]} * w_[n * inner_ + k];
      y[n] = static_cast<float>(sum);
    }
    return y;
  }
  /// The change of one value of x that takes most out of `rest`, the missing part of each sum; none where no whole
  /// step does.
  [[nodiscard]] std::optional<Flip> best_flip(const std::vector<float>& rest) const {
    std::vector<float> along(inner_);
    for (std::size_t n = 0; n < outputs_; ++n) {
      for (std::size_t k = 0; k < inner_; ++k) along[k] += rest[n] * static_cast<float>(w_[n * inner_ + k]);
    }
    Flip best;
    float gain = 0.0F;
    for (std::size_t k = 0; k < inner_; ++k) {
      if (norm_[k] == 0.0F) continue;
      const float change = std::nearbyint(along[k] / norm_[k]);
      const float taken = change * (2.0F * along[k] - change * norm_[k]);
      if (change == 0.0F || taken <= gain) continue;
      best = {k, change};
      gain = taken;
    }
    return gain > 0.0F ? std::optional{best} : std::nullopt;
  }
  void apply(const Flip& flip, std::vector<float>& sums, float sign) const {
    for (std::size_t n = 0; n < outputs_; ++n) {
      sums[n] += sign * flip.change * static_cast<float>(w_[n * inner_ + flip.column]);
    }
  }
  [[nodiscard]] float scale(std::size_t n, float x_scale) const { return x_scale * w_scale_[n]; }
  [[nodiscard]] Tensor result(const std::vector<float>& sums, float x_scale) const {
    Tensor y = Tensor::zeros("y", isa::DType::BF16, {outputs_});
    const auto out = y.writable<isa::Bf16>();
    for (std::size_t n = 0; n < outputs_; ++n) out[n] = isa::to_bf16(sums[n] * x_scale * w_scale_[n]);
    return y;
  }
  [[nodiscard]] std::size_t inner() const { return inner_; }

 private:
  std::span<const std::int8_t> w_;
  std::span<const float> w_scale_;
  std::size_t outputs_, inner_;
  std::vector<float> norm_;  ///< squares of w's columns
};

/// What explains the row, if anything does.
std::vector<Flip> explain(const Product& product, const Rule& rule, const Tensor& expected, std::vector<float> sums,
                          float x_scale) {
  const auto wanted = expected.as<isa::Bf16>();
  std::vector<float> rest(wanted.size());
  for (std::size_t n = 0; n < rest.size(); ++n) {
    rest[n] = isa::to_float(wanted[n]) / product.scale(n, x_scale) - sums[n];
    if (!std::isfinite(rest[n])) return {};
  }
  std::vector<Flip> flips;
  while (flips.size() < kMostFlips) {
    const auto flip = product.best_flip(rest);
    if (!flip) break;
    flips.push_back(*flip);
    product.apply(*flip, rest, -1.0F);
    product.apply(*flip, sums, 1.0F);
  }
  std::sort(flips.begin(), flips.end(), [](const Flip& a, const Flip& b) { return a.column < b.column; });
  const bool explained = compare(rule, expected, product.result(sums, x_scale)).violations == 0;
  return explained ? flips : std::vector<Flip>{};
}

}  // namespace

const QuantisedProduct* product_of(std::string_view output) {
  const auto found = std::find_if(kProducts.begin(), kProducts.end(), [&](const auto& p) { return p.y == output; });
  return found == kProducts.end() ? nullptr : &*found;
}

std::string flipped_values(const QuantisedProduct& p, const Rule& rule, std::span<const Tensor> expected,
                           const ReadRanks& on_cards) {
  const auto y = on_cards(p.y), x = on_cards(p.x), x_scale = on_cards(p.x_scale), w = on_cards(p.w),
             w_scale = on_cards(p.w_scale);
  std::size_t bad = 0, explained = 0, flips = 0;
  std::string first;
  for (std::size_t card = 0; card < expected.size(); ++card) {
    const Product product{w[card].as<std::int8_t>(), w_scale[card].as<float>()};
    for (std::size_t t = 0; t < expected[card].row_count(); ++t) {
      const Tensor wanted = expected[card].slice(t);
      if (compare(rule, wanted, y[card].slice(t)).violations == 0) continue;
      ++bad;
      const auto row = x[card].as<std::int8_t>().subspan(t * product.inner(), product.inner());
      const auto found = explain(product, rule, wanted, product.multiply(row), x_scale[card].as<float>()[t]);
      if (found.empty()) continue;
      ++explained;
      flips += found.size();
      if (first.empty()) {
        first = fmt::format("card {} [{}, {}] is {} here and {} there", card, t, found[0].column, row[found[0].column],
                            static_cast<float>(row[found[0].column]) + found[0].change);
      }
    }
  }
  if (explained == 0) return {};
  return fmt::format(
      "{} int8 values of '{}' differ from those behind the expectation ({}); they explain {} of {} bad rows", flips,
      p.x, first, explained, bad);
}

}  // namespace npu::orch
