// Exchanges one after the other over the same windows: every epoch gives what it would give on fresh ones.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim_tests/kernels/exchange_bench.hpp"

namespace npu {
namespace {

using kernels::LayerConfig;
using test::Exchange;
using test::Routing;

/// Routings whose counts and rows differ everywhere: what an epoch leaves behind cannot pass for the next one's.
std::vector<Routing> different_routings(const LayerConfig& c, std::size_t epochs) {
  const std::vector<Routing> all{
      test::spread(c),
      [&c](std::uint32_t, std::uint32_t t, std::uint32_t k) { return (t + k) % c.local_experts; },  // all to card 0
      [&c](std::uint32_t rank, std::uint32_t t, std::uint32_t k) { return (rank * 7 + 3 * t + k) % c.experts; }};
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(epochs)};
}

void check_epochs(std::uint32_t ranks, std::size_t epochs, const std::vector<double>& start_skew_us = {}) {
  LayerConfig c = test::small_exchange(ranks);
  c.recv_max = ranks * c.tokens();  // room for everything on one card
  Exchange exchange{c, different_routings(c, epochs), start_skew_us};
  exchange.run_all();
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    exchange.check_received(epoch);
    exchange.check_combined(epoch);
  }
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    const auto counts = exchange.bench.read<std::int32_t>("win_pub_counts", rank);
    CHECK(std::all_of(counts.begin(), counts.end(), [](std::int32_t n) { return n == 0; }));
  }
}

TEST_CASE("two exchanges of one card share their windows", "[exchange]") { check_epochs(1, 2); }
TEST_CASE("three exchanges of one card share their windows", "[exchange]") { check_epochs(1, 3); }
TEST_CASE("two exchanges of two cards share their windows", "[exchange]") { check_epochs(2, 2); }
TEST_CASE("three exchanges of two cards share their windows", "[exchange]") { check_epochs(2, 3); }
TEST_CASE("two exchanges of four cards share their windows", "[exchange]") { check_epochs(4, 2); }
TEST_CASE("three exchanges of four cards share their windows", "[exchange]") { check_epochs(4, 3); }
TEST_CASE("exchanges share their windows where the first card starts late", "[exchange]") {
  check_epochs(2, 3, {90.0, 0.0});
}
TEST_CASE("exchanges share their windows where the second card starts late", "[exchange]") {
  check_epochs(2, 3, {0.0, 90.0});
}
TEST_CASE("exchanges share their windows where each of four cards starts at another time", "[exchange]") {
  check_epochs(4, 3, {40.0, 0.0, 130.0, 7.0});
}

TEST_CASE("the counts of an exchange are kept for its way back", "[exchange]") {
  const LayerConfig c = test::small_exchange(2);
  Exchange exchange{c, {test::spread(c)}};
  exchange.run_all();
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    std::vector<std::int32_t> expected(std::size_t{c.ranks} * c.experts);
    for (std::uint32_t source = 0; source < c.ranks; ++source) {
      for (const std::int32_t id : exchange.epochs[0][source].indices) {
        ++expected[source * c.experts + static_cast<std::uint32_t>(id)];
      }
    }
    CHECK(exchange.bench.read<std::int32_t>("e0.counts", rank) == expected);
  }
}

}  // namespace
}  // namespace npu
