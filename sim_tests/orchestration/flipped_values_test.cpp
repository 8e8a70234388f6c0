// A result that misses its expectation by a few int8 values in front of its last product says which.
#include "orchestration/host/flipped_values.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace npu::orch {
namespace {

constexpr std::size_t kRows = 6, kInner = 64, kOutputs = 256;
constexpr RatioAllClose kRule{1e-4, 1.0 / 128};

/// Two cards with rows of random int8 values; `changed` gives the rows behind the expectation.
struct Stage {
  Stage() {
    std::mt19937 generator{3};
    std::uniform_int_distribution<int> value{-127, 127};
    const auto random = [&](const char* name, Shape shape) {
      Tensor t = Tensor::zeros(name, isa::DType::I8, std::move(shape));
      for (std::int8_t& v : t.writable<std::int8_t>()) v = static_cast<std::int8_t>(value(generator));
      return t;
    };
    for (std::size_t card = 0; card < 2; ++card) {
      on_cards["o_i8"].push_back(random("o_i8", {kRows, kInner}));
      on_cards["wo_b"].push_back(random("wo_b", {kOutputs, kInner}));
      on_cards["o_scale"].push_back(filled("o_scale", {kRows, 1}, 0.003F));
      on_cards["wo_b_scale"].push_back(filled("wo_b_scale", {kOutputs}, 0.001F));
    }
    rows = on_cards["o_i8"];
  }
  static Tensor filled(const char* name, Shape shape, float value) {
    Tensor t = Tensor::zeros(name, isa::DType::F32, std::move(shape));
    std::ranges::fill(t.writable<float>(), value);
    return t;
  }
  std::vector<Tensor> product(const std::vector<Tensor>& x) {
    std::vector<Tensor> ranks;
    for (std::size_t card = 0; card < 2; ++card) {
      Tensor y = Tensor::zeros("mid.attn.attn_out", isa::DType::BF16, {kRows, kOutputs});
      const auto in = x[card].as<std::int8_t>(), w = on_cards["wo_b"][card].as<std::int8_t>();
      for (std::size_t i = 0; i < kRows * kOutputs; ++i) {
        int sum = 0;
        for (std::size_t k = 0; k < kInner; ++k) sum += in[i / kOutputs * kInner + k] * w[i % kOutputs * kInner + k];
        y.writable<isa::Bf16>()[i] = isa::to_bf16(static_cast<float>(sum) * 0.003F * 0.001F);
      }
      ranks.push_back(std::move(y));
    }
    return ranks;
  }
  std::string cause(const std::vector<Tensor>& expected) {
    on_cards["mid.attn.attn_out"] = product(rows);
    return flipped_values(*product_of("mid.attn.attn_out"), kRule, expected,
                          [&](std::string_view name) { return on_cards.at(std::string{name}); });
  }
  /// Copies of the rows, since tensors share their bytes.
  std::vector<Tensor> other_rows() const {
    std::vector<Tensor> copies;
    for (const Tensor& t : rows) {
      copies.push_back(Tensor::zeros(t.name(), t.dtype(), t.shape()));
      std::ranges::copy(t.bytes(), copies.back().writable_bytes().begin());
    }
    return copies;
  }

  std::map<std::string, std::vector<Tensor>> on_cards;
  std::vector<Tensor> rows;
};

void step(Tensor& x, std::size_t row, std::size_t column, int change) {
  std::int8_t& v = x.writable<std::int8_t>()[row * kInner + column];
  v = static_cast<std::int8_t>(v > 0 ? v - std::abs(change) : v + std::abs(change));
}

TEST_CASE("flipped int8 values behind an expectation are found with their number and the first place") {
  Stage stage;
  auto behind = stage.other_rows();
  step(behind[0], 2, 17, 1);
  step(behind[0], 2, 40, 1);
  step(behind[1], 5, 63, 1);
  const std::string cause = stage.cause(stage.product(behind));
  CAPTURE(cause);
  CHECK(cause.starts_with("3 int8 values of 'o_i8' differ"));
  CHECK(cause.find("card 0 [2, ") != std::string::npos);
  CHECK(cause.ends_with("explain 2 of 2 bad rows"));
}

TEST_CASE("a wrong result is not put down to flips") {
  Stage stage;
  auto expected = stage.product(stage.rows);
  const auto wrong = expected[1].writable<isa::Bf16>();
  for (std::size_t i = 0; i < kOutputs; ++i) wrong[3 * kOutputs + i] = isa::to_bf16(0.01F * static_cast<float>(i));
  CHECK(stage.cause(expected).empty());
}

TEST_CASE("outputs without a product of quantised rows have no such cause") {
  CHECK(product_of("mid.attn.x_mixed") == nullptr);
}

}  // namespace
}  // namespace npu::orch
