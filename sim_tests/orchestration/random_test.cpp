// The numbers behind generated inputs: elementary functions, the normal table, streams by counter.
#include "orchestration/data/random.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "orchestration/data/host_math.hpp"
#include "orchestration/data/random_tensors.hpp"

namespace npu::orch {
namespace {

TEST_CASE("the host's elementary functions agree with the library to 1e-14") {
  for (int i = 1; i < 4000; ++i) {
    const double x = i * 0.01731;
    CHECK(std::abs(log_f64(x) - std::log(x)) < 1e-14);
    CHECK(exp_f64(-x) == Approx(std::exp(-x)).epsilon(1e-14).margin(0));
    CHECK(exp_f64(x) == Approx(std::exp(x)).epsilon(1e-14).margin(0));
    for (const double angle : {x, x * 251.7, -x * 15000.3}) {
      const SinCos v = sin_cos_f64(angle);
      CHECK(std::abs(v.sin - std::sin(angle)) < 1e-14);
      CHECK(std::abs(v.cos - std::cos(angle)) < 1e-14);
    }
  }
}

TEST_CASE("the normal table holds the quantiles of the distribution") {
  const auto z = normal_magnitudes();
  REQUIRE(z.size() == kMagnitudes);
  double squares = 0.0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    squares += z[i] * z[i];
    if (i > 0) REQUIRE(z[i] > z[i - 1]);
    const double probability = 0.5 * std::erfc(z[i] / std::sqrt(2.0));
    REQUIRE(probability == Approx(0.5 - (static_cast<double>(i) + 0.5) / 65536).epsilon(1e-8).margin(0));
  }
  CHECK(squares / kMagnitudes == Approx(1.0).margin(2e-4));
}

TEST_CASE("a stream gives an element the same bits however it is asked for") {
  const RandomStream stream{7, "x_hc", 1};
  std::vector<std::uint16_t> whole(101);
  stream.fill(0, whole);
  for (const std::size_t first : {0U, 1U, 2U, 3U, 5U, 50U}) {
    for (const std::size_t n : {0U, 1U, 2U, 3U, 4U, 5U, 17U}) {
      std::vector<std::uint16_t> part(n);
      stream.fill(first, part);
      CHECK(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TEST_CASE("seed, tensor and rank each choose another stream") {
  std::vector<std::vector<std::uint16_t>> draws;
  for (const RandomStream& s :
       {RandomStream{0, "a", 0}, RandomStream{1, "a", 0}, RandomStream{0, "b", 0}, RandomStream{0, "a", 1}}) {
    s.fill(0, draws.emplace_back(8));
  }
  for (std::size_t i = 0; i < draws.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) CHECK(draws[i] != draws[j]);
  }
}

TEST_CASE("a stream's first numbers never change") {
  std::vector<std::uint16_t> draw(4);
  RandomStream{0, "x_hc", 0}.fill(0, draw);
  CHECK(draw == std::vector<std::uint16_t>{50792, 45328, 62196, 54868});
}

/// The weights behind a quantised tensor, made the slow way.
std::vector<float> weights(const RandomStream& stream, std::size_t n, double gain) {
  std::vector<std::uint16_t> codes(n);
  stream.fill(0, codes);
  std::vector<float> w(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto z = static_cast<float>(normal_magnitudes()[codes[i] % kMagnitudes] * gain);
    w[i] = isa::to_float(finite_to_bf16(codes[i] >= kMagnitudes ? -z : z));
  }
  return w;
}

TEST_CASE("rows and columns are quantised by their own largest weight") {
  constexpr std::size_t kRows = 37;
  constexpr std::size_t kColumns = 1100;  // more than one band
  const RandomStream stream{3, "w", 0};
  const auto w = weights(stream, kRows * kColumns, 0.1);
  for (const QuantAxis axis : {QuantAxis::Rows, QuantAxis::Columns}) {
    for (const Ties ties : {Ties::Even, Ties::Away}) {
      const bool by_row = axis == QuantAxis::Rows;
      Tensor q = Tensor::zeros("w", isa::DType::I8, {kRows, kColumns});
      Tensor s = Tensor::zeros("s", isa::DType::F32, {by_row ? kRows : kColumns});
      fill_quantised(q, s, stream, 0.1, axis, ties, 3);
      std::vector<float> amax(s.elements());
      for (std::size_t i = 0; i < w.size(); ++i) {
        float& a = amax[by_row ? i / kColumns : i % kColumns];
        a = std::max(a, std::abs(w[i]));
      }
      for (std::size_t i = 0; i < w.size(); ++i) {
        const std::size_t k = by_row ? i / kColumns : i % kColumns;
        const float multiplier = 127.0F / amax[k];
        REQUIRE(s.as<float>()[k] == 1.0F / multiplier);
        const float scaled = w[i] * multiplier;
        const float rounded = ties == Ties::Even ? std::nearbyint(scaled) : std::round(scaled);
        REQUIRE(static_cast<float>(q.as<std::int8_t>()[i]) == rounded);
      }
    }
  }
}

TEST_CASE("a quantised tensor does not depend on the number of threads, nor on how many rows one of them has") {
  std::vector<std::vector<std::int8_t>> results;
  for (const unsigned threads : {1U, 2U, 5U}) {
    Tensor q = Tensor::zeros("w", isa::DType::I8, {2500, 1100});
    Tensor s = Tensor::zeros("s", isa::DType::F32, {2500});
    fill_quantised(q, s, RandomStream{1, "w", 0}, 1.0, QuantAxis::Rows, Ties::Even, threads);
    results.emplace_back(q.as<std::int8_t>().begin(), q.as<std::int8_t>().end());
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("rows of a cache have unit mean square") {
  Tensor t = Tensor::zeros("kv", isa::DType::BF16, {8, 128});
  fill_unit_rms_rows(t, RandomStream{1, "kv", 0}, 2, 3);
  const auto values = t.as<isa::Bf16>();
  for (std::size_t row = 0; row < 8; ++row) {
    double squares = 0.0;
    for (std::size_t i = 0; i < 128; ++i)
      squares += std::pow(static_cast<double>(isa::to_float(values[row * 128 + i])), 2);
    CHECK(squares / 128 == Approx(row >= 2 && row < 5 ? 1.0 : 0.0).margin(4e-3));
  }
}

}  // namespace
}  // namespace npu::orch
