#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "model/memory/unknown_bytes.hpp"

namespace npu::model {
namespace {

TEST_CASE("marking and clearing ranges agrees with a flag per block", "[memory][timing]") {
  constexpr unsigned kShift = 2;
  constexpr std::uint64_t kBytes = 4096;
  UnknownBytes unknown{kShift};
  std::vector<bool> blocks(kBytes >> kShift, false);
  std::mt19937 random{5};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int step = 0; step < 2000; ++step) {
    const std::uint64_t begin = below(kBytes), end = begin + below(std::min<std::uint64_t>(600, kBytes - begin) + 1);
    const std::uint64_t last = end > begin ? ((end - 1) >> kShift) + 1 : begin >> kShift;
    const bool marks = below(2) == 0;
    marks ? unknown.mark(begin, end) : unknown.clear(begin, end);
    for (std::uint64_t b = begin >> kShift; b < last; ++b) blocks[b] = marks;
    const std::uint64_t from = below(kBytes), to = from + below(kBytes - from + 1);
    bool any = false;
    if (to > from)
      for (std::uint64_t b = from >> kShift; b <= (to - 1) >> kShift; ++b) any = any || blocks[b];
    REQUIRE(unknown.any(from, to) == any);
  }
}

TEST_CASE("bytes that nobody marked are known, wherever they lie", "[memory][timing]") {
  UnknownBytes unknown{5};
  CHECK_FALSE(unknown.any(0, 1ULL << 40));
  unknown.mark(100, 101);
  CHECK(unknown.any(96, 97));
  CHECK_FALSE(unknown.any(128, 1ULL << 40));
}

}  // namespace
}  // namespace npu::model
