// The rules find a planted fault, at its place, and count as the reference counts.
#include "orchestration/data/compare.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "isa/errors.hpp"
#include "orchestration/data/random.hpp"

namespace npu::orch {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
Tensor make(Shape shape, T value) {
  Tensor t = Tensor::zeros("y", dtype_of<T>(), std::move(shape));
  std::ranges::fill(t.writable<T>(), value);
  return t;
}

template <class T>
Tensor with(const Tensor& base, std::size_t index, T value) {
  Tensor t = Tensor::zeros(base.name(), base.dtype(), base.shape());
  std::ranges::copy(base.bytes(), t.writable_bytes().begin());
  t.writable<T>()[index] = value;
  return t;
}

TEST_CASE("one wrong element fails every strict rule at its index") {
  const Tensor expected = make<float>({2, 3, 4}, 1.0F);
  const Tensor actual = with(expected, 1 * 12 + 2 * 4 + 3, 1.5F);
  for (const Rule& rule : {Rule{AllClose{1e-3, 1e-3}}, Rule{Exact{}}, Rule{RatioRelDiff{0.1, 0.0}}}) {
    const Comparison c = compare(rule, expected, actual);
    INFO(c.rule);
    CHECK_FALSE(c.pass);
    CHECK(c.checked == 24);
    CHECK(c.violations == 1);
    CHECK(c.share == Approx(1.0 / 24));
    CHECK(c.worst_index == Shape{1, 2, 3});
    CHECK(c.expected == 1.0);
    CHECK(c.got == 1.5);
    CHECK(compare(rule, expected, expected).pass);
  }
}

TEST_CASE("NaN and infinity fail a rule that forgives many wrong elements") {
  const Tensor good = make<float>({10, 10}, 2.0F);
  for (const float bad : {kNaN, kInf, -kInf}) {
    for (const Rule& rule :
         {Rule{AllClose{1e9, 1e9}}, Rule{RatioAllClose{1.0, 1.0, 1.0}}, Rule{RatioRelDiff{0.1, 1.0}}}) {
      const Tensor broken = with(with(good, 7, 100.0F), 42, bad);
      for (const Comparison& c :
           {compare(rule, good, broken), compare(rule, broken, good), compare(rule, broken, broken)}) {
        CHECK_FALSE(c.pass);
        CHECK(c.non_finite == 1);
        CHECK(c.worst_index == Shape{4, 2});
      }
    }
  }
}

TEST_CASE("Exact compares bits, so infinities match and zeros of different sign do not") {
  const Tensor e = with(make<float>({4}, 0.0F), 1, -kInf);
  CHECK(compare(Exact{}, e, e).pass);
  const Comparison c = compare(Exact{}, e, with(e, 3, -0.0F));
  CHECK_FALSE(c.pass);
  CHECK(c.worst_index == Shape{3});
  CHECK_FALSE(compare(Exact{}, e, with(e, 2, kNaN)).pass);
}

TEST_CASE("ratio rules allow round(share * n) violations and not one more") {
  // 0.005 * 500 = 2.5 rounds to 2 and 0.005 * 700 = 3.5 to 4: halves go to even.
  for (const auto& [n, allowed] : {std::pair<std::uint64_t, std::uint64_t>{500, 2}, {700, 4}, {99, 0}, {101, 1}}) {
    const Tensor expected = make<float>({n}, 1.0F);
    Tensor actual = expected;
    for (std::uint64_t k = 0; k <= allowed; ++k) {
      INFO("n " << n << ", violations " << k);
      const Comparison c = compare(RatioAllClose{1e-4, 1.0 / 128}, expected, actual);
      CHECK(c.allowed == allowed);
      CHECK(c.violations == k);
      CHECK(c.pass);
      actual = with(actual, k, 3.0F);
    }
    CHECK_FALSE(compare(RatioAllClose{1e-4, 1.0 / 128}, expected, actual).pass);
  }
}

TEST_CASE("the bound of allclose belongs to the good side") {
  const Tensor expected = make<float>({1}, 4.0F);
  CHECK(compare(AllClose{0.5, 0.125}, expected, make<float>({1}, 5.0F)).pass);
  CHECK_FALSE(compare(AllClose{0.5, 0.125}, expected, make<float>({1}, 5.0000005F)).pass);
  CHECK(compare(AllClose{0.5, 0.125}, make<float>({1}, -4.0F), make<float>({1}, -5.0F)).pass);
}

TEST_CASE("reldiff is absolute below its threshold and relative above") {
  const Rule rule = RatioRelDiff{0.1, 0.0};
  CHECK(compare(rule, make<float>({1}, 0.0F), make<float>({1}, 0.09F)).pass);           // 0.09 < d
  CHECK_FALSE(compare(rule, make<float>({1}, 0.0F), make<float>({1}, 0.11F)).pass);     // 0.11 / 0.11 = 1
  CHECK(compare(rule, make<float>({1}, 100.0F), make<float>({1}, 109.0F)).pass);        // 9 / 109
  CHECK_FALSE(compare(rule, make<float>({1}, 100.0F), make<float>({1}, 112.0F)).pass);  // 12 / 112
}

TEST_CASE("reldiff bounds the worst violation apart from their number") {
  const Tensor expected = make<float>({100}, 1.0F);
  const Tensor actual = with(expected, 30, -1.0F);  // |2| / 1 = 2
  CHECK(compare(RatioRelDiff{0.1, 0.05, 2.5}, expected, actual).pass);
  const Comparison c = compare(RatioRelDiff{0.1, 0.05, 1.5}, expected, actual);
  CHECK_FALSE(c.pass);
  CHECK(c.violations < c.allowed);
  CHECK(c.worst_index == Shape{30});
}

TEST_CASE("int8 results may be off by one where the rule says so") {
  const Tensor expected = make<std::int8_t>({1000}, 5);
  const Tensor off_by_one = make<std::int8_t>({1000}, 4);
  const Tensor off_by_two = with<std::int8_t>(off_by_one, 700, 7);
  CHECK(compare(OffByOne{}, expected, off_by_one).pass);
  const Comparison c = compare(OffByOne{}, expected, off_by_two);
  CHECK_FALSE(c.pass);
  CHECK(c.worst_index == Shape{700});
  CHECK(compare(OffByOne{0.001}, expected, off_by_two).pass);
  CHECK_FALSE(compare(OffByOne{0.001}, expected, with<std::int8_t>(off_by_two, 701, 7)).pass);
}

TEST_CASE("bf16 and int32 results are compared by value") {
  const Tensor e = make<isa::Bf16>({3}, finite_to_bf16(1.0F));
  CHECK(compare(AllClose{0.0, 1.0 / 128}, e, with(e, 1, finite_to_bf16(1.0F + 1.0F / 128))).pass);
  CHECK_FALSE(compare(AllClose{0.0, 1.0 / 128}, e, with(e, 1, finite_to_bf16(1.0F + 2.0F / 128))).pass);
  CHECK_FALSE(compare(AllClose{1.0, 1.0}, e, with(e, 2, isa::Bf16{0x7FC0})).pass);
  const Tensor i = make<std::int32_t>({3}, 1 << 30);
  CHECK(compare(Exact{}, i, with<std::int32_t>(i, 0, (1 << 30) + 1)).worst_index == Shape{0});
}

TEST_CASE("ranks are compared as one tensor with a leading axis") {
  const std::vector<Tensor> expected{make<float>({2, 2}, 1.0F), make<float>({2, 2}, 1.0F)};
  const std::vector<Tensor> actual{expected[0], with(expected[1], 2, 2.0F)};
  const Comparison c = compare_ranks(RatioAllClose{0.1, 0.0, 0.125}, expected, actual);
  CHECK(c.checked == 8);
  CHECK(c.allowed == 1);
  CHECK(c.pass);
  CHECK(c.worst_index == Shape{1, 1, 0});
}

TEST_CASE("filtered elements do not count") {
  const Tensor expected = make<float>({2, 2}, 1.0F);
  const Tensor actual = with(expected, 3, kNaN);
  const Comparison c = compare(AllClose{0, 0}, expected, actual, [](std::size_t, std::uint64_t i) { return i < 3; });
  CHECK(c.pass);
  CHECK(c.checked == 3);
}

TEST_CASE("a pool must change in the given rows and nowhere else") {
  const Tensor before = make<float>({2, 3, 4}, -kInf);  // rows of 4
  PoolChanges changes{{1, 4}, make<float>({2, 4}, 1.0F)};
  Tensor after = before;
  for (const std::size_t row : {1U, 4U}) {
    for (std::size_t i = 0; i < 4; ++i) after = with(after, row * 4 + i, 1.0F);
  }
  // Rank 0 keeps its pool.
  const auto compare_second = [&](const Tensor& actual) {
    const std::vector<PoolChanges> of_rank{{{}, make<float>({0, 4}, 0.0F)}, changes};
    return compare_pool(AllClose{0, 0}, std::vector{before, before}, of_rank, std::vector{before, actual});
  };
  const PoolComparison good = compare_second(after);
  CHECK(good.changed.pass);
  CHECK(good.untouched.pass);
  CHECK(good.changed.checked == 8);
  CHECK(good.untouched.checked == 24 + 16);

  const PoolComparison wrong_value = compare_second(with(after, 4 * 4 + 2, 3.0F));
  CHECK_FALSE(wrong_value.changed.pass);
  CHECK(wrong_value.changed.worst_index == Shape{1, 4, 2});
  CHECK(wrong_value.changed.damage.first == Shape{1, 4, 2});
  CHECK(wrong_value.untouched.pass);

  const PoolComparison stray = compare_second(with(after, 5 * 4 + 3, 3.0F));
  CHECK(stray.changed.pass);
  CHECK_FALSE(stray.untouched.pass);
  CHECK(stray.untouched.worst_index == Shape{1, 5, 3});
  CHECK(stray.untouched.damage.last == Shape{1, 5, 3});
  CHECK(stray.untouched.damage.bad_rows == 1);
  CHECK(stray.untouched.damage.rows == 6 + 4);
}

TEST_CASE("a row rule forgives a share of one row, however many rows there are") {
  const Tensor expected = make<float>({50, 400}, 1.0F);
  const Tensor two_wrong = with(with(expected, 3, 2.0F), 17000, 2.0F);
  const Rule rule = RowAllClose{1e-4, 1.0 / 128};
  CHECK(compare(rule, expected, two_wrong).allowed == 2);
  CHECK(compare(rule, expected, two_wrong).pass);
  CHECK_FALSE(compare(rule, expected, with(two_wrong, 19999, 2.0F)).pass);
  CHECK_FALSE(compare(rule, make<float>({50, 32}, 1.0F), with(make<float>({50, 32}, 1.0F), 3, 2.0F)).pass);
}

TEST_CASE("a comparison tells where the violations lie and what they look like") {
  const std::vector<Tensor> expected{make<float>({4, 8}, 1.0F), make<float>({4, 8}, 1.0F)};
  Tensor second = with(with(expected[1], 9, 0.0F), 10, 0.0F);
  second = with(second, 31, 5.0F);
  const Comparison c = compare_ranks(Exact{}, expected, std::vector{with(expected[0], 3, 0.0F), second});
  CHECK(c.over_cards);
  CHECK(c.violations == 4);
  CHECK(c.damage.rows == 8);
  CHECK(c.damage.bad_rows == 3);
  CHECK(c.damage.zeros == 3);
  CHECK(c.damage.first == Shape{0, 0, 3});
  CHECK(c.damage.last == Shape{1, 3, 7});
  CHECK(compare_ranks(Exact{}, expected, expected).damage.first.empty());
}

TEST_CASE("integers that differ by one are counted beside those that violate the rule") {
  const Tensor expected = make<std::int8_t>({2, 8}, 5);
  const Tensor actual = with<std::int8_t>(with<std::int8_t>(with<std::int8_t>(expected, 3, 6), 9, 4), 12, 9);
  const Comparison c = compare(OffByOne{}, expected, actual);
  CHECK(c.violations == 1);
  CHECK(c.damage.off_by_one == 2);
  CHECK(c.damage.first == Shape{1, 4});
}

TEST_CASE("tensors of different form are not compared") {
  CHECK_THROWS_AS(compare(Exact{}, make<float>({2}, 0.0F), make<float>({3}, 0.0F)), ConfigError);
  CHECK_THROWS_AS(compare(Exact{}, make<float>({2}, 0.0F), make<std::int32_t>({2}, 0)), ConfigError);
}

TEST_CASE("the text of a rule states its bounds") {
  CHECK(to_string(Rule{RatioRelDiff{0.1, 0.05}}) == "ratio_reldiff(0.1, at most 5 %)");
  CHECK(to_string(Rule{RatioAllClose{1e-4, 1.0 / 128}}) ==
        "ratio_allclose(atol 0.0001, rtol 0.0078125, at most 0.5 %)");
}

}  // namespace
}  // namespace npu::orch
