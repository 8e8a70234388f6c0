// A ranking may swap what its own scores tie or order otherwise; every other difference is found.
#include "orchestration/data/compare_ranking.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

constexpr std::int32_t kFirst = 18;
constexpr float kNoScore = -std::numeric_limits<float>::max();

template <class T>
Tensor rows_of(std::uint64_t width, const std::vector<T>& values) {
  Tensor t = Tensor::zeros("topk", dtype_of<T>(), {values.size() / width, width});
  std::ranges::copy(values, t.writable<T>().begin());
  return t;
}

/// Two rows: four entries of six with three places, and none. Entries 2 and 3 tie.
const std::vector<float> kScores{1,        9,        4,        4,        kNoScore, kNoScore,
                                 kNoScore, kNoScore, kNoScore, kNoScore, kNoScore, kNoScore};
const std::vector<std::int32_t> kCodes{19, 20, 21, -1, -1, -1, -1, -1, -1, -1, -1, -1};

Comparison ranking(const std::vector<std::int32_t>& codes, const std::vector<float>& scores = kScores) {
  const Tensor expected = rows_of(6, kCodes), actual = rows_of(6, codes), own = rows_of(6, scores);
  return compare_ranking({&expected, 1}, {&actual, 1}, {&own, 1}, kFirst);
}

std::vector<std::int32_t> with(std::size_t index, std::int32_t code, std::vector<std::int32_t> codes = kCodes) {
  codes[index] = code;
  return codes;
}

TEST_CASE("the expected ranking passes whatever the scores") {
  CHECK(ranking(kCodes).pass);
  CHECK(ranking(kCodes).checked == 12);
  CHECK(ranking(kCodes, std::vector<float>(12, kNoScore)).pass);
}

TEST_CASE("entries of equal score may change places") { CHECK(ranking(with(1, 21, with(2, 20))).pass); }

TEST_CASE("a choice that the run's own scores order otherwise may differ") {
  std::vector<float> scores = kScores;
  scores[0] = 4.5F;  // entry 0 overtakes the tie
  CHECK(ranking(with(1, 18, with(2, 20)), scores).pass);
}

TEST_CASE("one wrong element fails at its place") {
  for (const auto& [index, code] : {std::pair<std::size_t, std::int32_t>{0, 20},  // twice
                                    {1, 18},                                      // a smaller score
                                    {2, 22},                                      // an entry without a score
                                    {2, 17},                                      // the code of a window row
                                    {2, 24},                                      // beyond the entries
                                    {2, -1},                                      // missing
                                    {3, 18},                                      // too many
                                    {6, 18}}) {                                   // a row without entries
    const Comparison c = ranking(with(index, code));
    INFO("element " << index << " holds " << code);
    CHECK_FALSE(c.pass);
    CHECK(c.violations == 1);
    CHECK(c.worst_index == Shape{0, index / 6, index % 6});
    CHECK(c.expected == kCodes[index]);
    CHECK(c.got == code);
  }
}

TEST_CASE("swapped entries of different score fail") {
  const Comparison c = ranking(with(0, 20, with(1, 19)));
  CHECK_FALSE(c.pass);
  CHECK(c.violations == 2);
}

TEST_CASE("a score that is not a number justifies nothing") {
  std::vector<float> scores = kScores;
  scores[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(ranking(with(2, 18), scores).pass);
}

TEST_CASE("rankings of different form are not compared") {
  const Tensor six = rows_of(6, kCodes), four = rows_of(4, kCodes), scores = rows_of(6, kScores);
  CHECK_THROWS_AS(compare_ranking({&six, 1}, {&four, 1}, {&scores, 1}, kFirst), ConfigError);
}

}  // namespace
}  // namespace npu::orch
