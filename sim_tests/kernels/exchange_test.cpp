// Dispatch and combine over one to eight cards against the untiled exchange, bit for bit.
#include <algorithm>
#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "kernels/moe/combine.hpp"
#include "kernels/moe/dispatch.hpp"
#include "sim_tests/kernels/exchange_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using kernels::LayerConfig;
using test::Exchange;
using test::Routing;
using test::small_exchange;
using test::spread;

void check_exchange(const LayerConfig& config, const Routing& routing) {
  Exchange exchange{config, {routing}};
  exchange.dispatch();
  exchange.check_received(0);
  exchange.combine();
  exchange.check_combined(0);
}

TEST_CASE("rows reach the experts of one card and come back", "[exchange]") {
  check_exchange(small_exchange(1), spread(small_exchange(1)));
}
TEST_CASE("rows reach the experts of two cards and come back", "[exchange]") {
  check_exchange(small_exchange(2), spread(small_exchange(2)));
}
TEST_CASE("rows reach the experts of four cards and come back", "[exchange]") {
  check_exchange(small_exchange(4), spread(small_exchange(4)));
}
TEST_CASE("rows reach the experts of eight cards and come back", "[exchange]") {
  check_exchange(small_exchange(8), spread(small_exchange(8)));
}
TEST_CASE("fewer tokens than blocks and a width of several pieces are exchanged", "[exchange]") {
  LayerConfig c = small_exchange(2);
  c.batch = 1;
  c.seq = 5;
  c.hidden = 1056;
  check_exchange(c, spread(c));
}
TEST_CASE("more tokens than a block holds at a time are exchanged", "[exchange]") {
  LayerConfig c = small_exchange(2);
  c.batch = 300;
  c.hidden = 32;
  c.recv_max = 700;
  check_exchange(c, spread(c));
}
TEST_CASE("rows that take longer over the link than a notify are there before they are counted", "[exchange]") {
  LayerConfig c = small_exchange(2);
  c.batch = 16;
  c.hidden = 10240;
  // Card 0 sends only to itself, card 1 only over the link: card 0 is ready long before the rows of card 1 arrive.
  check_exchange(c, [&](std::uint32_t, std::uint32_t t, std::uint32_t k) { return (t + k) % c.local_experts; });
}
TEST_CASE("an expert that nobody chooses receives no rows", "[exchange]") {
  const LayerConfig c = small_exchange(2);
  check_exchange(c, [&](std::uint32_t, std::uint32_t t, std::uint32_t k) {
    const std::uint32_t id = (t + k) % (c.experts - 1);
    return id < 6 ? id : id + 1;  // not expert 6
  });
}
TEST_CASE("an expert receives exactly as many rows as it may", "[exchange]") {
  LayerConfig c = small_exchange(2);
  c.recv_max = 2 * c.tokens();  // k = 0 of every token of both ranks
  check_exchange(c, [](std::uint32_t, std::uint32_t t, std::uint32_t k) { return k == 0 ? 7U : t % 5; });
}
TEST_CASE("a token that names one expert several times sends its row several times", "[exchange]") {
  LayerConfig c = small_exchange(2);
  c.recv_max = c.routes();
  check_exchange(c, [](std::uint32_t rank, std::uint32_t t, std::uint32_t k) { return k == 2 ? rank : 3 + t % 4; });
}

TEST_CASE("an expert with too many rows is reported by every rank and nothing is sent", "[exchange]") {
  LayerConfig c = small_exchange(4);
  c.recv_max = 4 * c.tokens() - 1;
  Exchange exchange{c, {[](std::uint32_t, std::uint32_t t, std::uint32_t k) { return k == 0 ? 13U : t % 5; }}};
  CHECK_THROWS_AS(exchange.reference_dispatch(0), ConfigError);
  exchange.dispatch();
  exchange.combine();
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    INFO("rank " << rank);
    const auto limit = static_cast<std::int32_t>(c.recv_max);
    CHECK(exchange.bench.read<std::int32_t>("e0.status", rank) ==
          std::vector<std::int32_t>{1, 2, 3, limit + 1, limit, 0, 0, 0});
    CHECK(exchange.bench.read<std::int32_t>("e0.recv_count", rank) == std::vector<std::int32_t>(c.local_experts));
    const auto is_zero = [](auto v) { return v == decltype(v){}; };
    const auto x = exchange.bench.read<std::int8_t>("win_x", rank);
    CHECK(std::all_of(x.begin(), x.end(), is_zero));
    const auto scale = exchange.bench.read<float>("win_scale", rank);
    CHECK(std::all_of(scale.begin(), scale.end(), is_zero));
    const auto y = exchange.bench.read<Bf16>("win_y", rank);
    CHECK(std::all_of(y.begin(), y.end(), is_zero));
    const auto out = exchange.bench.read<std::int8_t>("e0.recv_x", rank);
    CHECK(std::all_of(out.begin(), out.end(), [](std::int8_t v) { return v == test::kUntouched; }));
  }
}

TEST_CASE("a wait for a notify that nobody sends is a deadlock that names the cell", "[exchange]") {
  isa::KernelBuilder k{"waits_forever", isa::a2a3_arch_spec()};
  const auto cell = k.inout("never_notified", isa::DType::I32, 1);
  k.vector([&](isa::PartBuilder& p) { p.wait_cell(isa::CompareMode::Ge, p.tensor(cell).address(0, 0), p.imm(1)); });
  test::KernelBench bench;
  bench.bind("never_notified", std::vector<std::int32_t>(8));
  CHECK_THROWS_WITH(bench.run(kernels::pack(k, 1)), Catch::Matchers::Contains("deadlock") &&
                                                        Catch::Matchers::Contains("cell") &&
                                                        Catch::Matchers::Contains("never_notified"));
}

TEST_CASE("the exchange kernels of the largest layer fit on a vector core", "[exchange]") {
  LayerConfig c;
  c.ranks = 8;
  c.hidden = 7168;
  c.experts = 384;
  c.local_experts = 48;
  c.top_k = 8;
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  CHECK(kernels::dispatch(c, arch).object.blocks == 8);
  CHECK(kernels::combine_push(c, arch).object.blocks == 48);
  CHECK(kernels::combine_reduce(c, arch).object.blocks == 48);
}

TEST_CASE("the exchange of a flash layer between two cards takes tens of microseconds", "[exchange]") {
  LayerConfig c;  // T = 128, KE = 6, D = 4096, EL = 32
  Exchange exchange{c, {spread(c)}};
  exchange.dispatch();
  const double dispatch_us = exchange.bench.task_us();
  exchange.check_received(0);
  exchange.combine();
  const double reduce_us = exchange.bench.task_us();
  exchange.check_combined(0);
  INFO("dispatch " << dispatch_us << " us, push " << exchange.push_us << " us, reduce " << reduce_us << " us");
  CHECK(dispatch_us < 100);
  CHECK(exchange.push_us < 100);
  CHECK(reduce_us < 20);
}

}  // namespace
}  // namespace npu
