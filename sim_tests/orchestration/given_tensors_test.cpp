// What the host gives a timing run in place of what follows from scores.
#include "orchestration/host/given_tensors.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

/// Largest minus smallest.
std::int64_t spread(const std::vector<std::int64_t>& loads) {
  const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
  return *most - *least;
}

void check_balance(const kernels::LayerConfig& c) {
  LayerCase layer;
  layer.config = c;
  std::vector<std::int64_t> experts(c.experts), cards(c.ranks);
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    std::vector<std::int64_t> sent(c.ranks);
    const Tensor given = given_tensor(layer, "mid.moe.indices", rank);
    const auto ids = given.as<std::int32_t>();
    REQUIRE(ids.size() == c.routes());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      REQUIRE(ids[i] >= 0);
      REQUIRE(static_cast<std::uint32_t>(ids[i]) < c.experts);
      const auto id = static_cast<std::size_t>(ids[i]);
      ++experts[id];
      ++cards[id / c.local_experts];
      ++sent[id / c.local_experts];
    }
    for (std::size_t t = 0; t < ids.size(); t += c.top_k) {
      const auto token = ids.subspan(t, c.top_k);
      CHECK(std::set<std::int32_t>(token.begin(), token.end()).size() == c.top_k);
    }
    CHECK(spread(sent) <= 1);
  }
  CHECK(spread(experts) <= 1);
  CHECK(spread(cards) <= 1);
}

TEST_CASE("a timing run's own routing loads experts and cards evenly at any batch and number of cards", "[timing]") {
  for (const std::string_view name : {"tiny", "demo", "flash", "flash-8k", "pro"}) {
    for (const std::uint32_t ranks : {1U, 2U, 4U, 8U}) {
      for (const std::uint32_t batch : {1U, 2U, 3U, 4U, 5U, 16U, 61U, 64U}) {
        for (const std::uint32_t seq : {1U, 2U, 4U}) {
          CAPTURE(name, ranks, batch, seq);
          check_balance(resized(preset(name), {ranks, batch, seq, 4, false}));
        }
      }
    }
  }
  check_balance(resized(preset("flash"), {2, 3, 1, 4, true}));
}

}  // namespace
}  // namespace npu::orch
