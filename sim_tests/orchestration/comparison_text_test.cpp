// What a failing comparison says: where, how much, of which kind, and why.
#include "orchestration/report/comparison_text.hpp"

#include <catch2/catch.hpp>
#include <limits>

namespace npu::orch {
namespace {

Tensor filled(Shape shape, float value) {
  Tensor t = Tensor::zeros("y", isa::DType::F32, std::move(shape));
  std::ranges::fill(t.writable<float>(), value);
  return t;
}

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

TEST_CASE("an index of a tensor that every card has names the card apart from the axes") {
  const std::vector<Tensor> expected{filled({2, 3}, 1.0F), filled({2, 3}, 1.0F)};
  std::vector<Tensor> actual{filled({2, 3}, 1.0F), filled({2, 3}, 1.0F)};
  actual[1].writable<float>()[5] = 7.0F;
  const std::string text = comparison_table({compare_ranks(Exact{}, expected, actual)});
  CAPTURE(text);
  CHECK(says(text, "worst at card 1 [1, 2]: expected 1, got 7"));
  CHECK(says(text, "1 of 4 rows are bad, first at card 1 [1, 2], last at card 1 [1, 2]"));
  CHECK(says(comparison_table({compare(Exact{}, expected[1], actual[1])}), "worst at [1, 2]"));
}

TEST_CASE("results that were never written are recognised by their zeros") {
  const std::string text = comparison_table({compare(Exact{}, filled({4, 2}, 1.0F), filled({4, 2}, 0.0F))});
  CHECK(says(text, "4 of 4 rows are bad"));
  CHECK(says(text, "all 8 violations are 0 where something else is expected"));
}

TEST_CASE("NaN is named as the reason where the rule would forgive as many other violations") {
  const Tensor expected = filled({4096}, 1.0F);
  Tensor actual = filled({4096}, 1.0F);
  for (std::size_t i = 0; i < 20; ++i) actual.writable<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  const Comparison c = compare(RatioAllClose{1e-4, 1e-4, 0.005}, expected, actual);
  CHECK(c.violations <= c.allowed);
  CHECK(failure_clause(c) == "y: 20 of 4096 elements are not finite (NaN or infinity), which no rule allows");
  CHECK(says(comparison_table({c}), "20 elements are not finite"));
}

TEST_CASE("a worst violation beyond its own bound is named as the reason") {
  Tensor actual = filled({100}, 1.0F);
  actual.writable<float>()[3] = -1.0F;
  const Comparison c = compare(RatioRelDiff{0.1, 0.05, 1.5}, filled({100}, 1.0F), actual);
  CHECK(says(failure_clause(c), "the worst is beyond"));
}

TEST_CASE("flipped int8 values are counted") {
  Tensor expected = Tensor::zeros("q", isa::DType::I8, {4, 4}), actual = Tensor::zeros("q", isa::DType::I8, {4, 4});
  actual.writable<std::int8_t>()[5] = 1;
  actual.writable<std::int8_t>()[6] = -1;
  const Comparison c = compare(Exact{}, expected, actual);
  CHECK(says(comparison_table({c}), "2 integers differ by exactly 1, as flips of the rounding do; 2 violations"));
}

TEST_CASE("a known cause stands in the table and in the clause") {
  Comparison c = compare(Exact{}, filled({2}, 1.0F), filled({2}, 0.0F));
  c.cause = "the moon is full";
  CHECK(says(comparison_table({c}), "    the moon is full\n"));
  CHECK(failure_clause(c) == "y: 2 of 2 elements violate exact: the moon is full");
}

}  // namespace
}  // namespace npu::orch
