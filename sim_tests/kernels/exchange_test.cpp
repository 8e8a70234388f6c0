// Dispatch and combine over one to four cards against the untiled exchange, bit for bit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "isa/errors.hpp"
#include "isa/numerics/numerics.hpp"
#include "kernels/moe/combine.hpp"
#include "kernels/moe/dispatch.hpp"
#include "kernels/reference/exchange.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using kernels::LayerConfig;
namespace reference = kernels::reference;

constexpr std::int8_t kUntouched = 0x55;

LayerConfig small_config(std::uint32_t ranks) {
  LayerConfig c;
  c.ranks = ranks;
  c.batch = 9;
  c.seq = 2;
  c.hidden = 96;
  c.local_experts = 5;
  c.experts = ranks * c.local_experts;
  c.top_k = 3;
  c.recv_max = 64;
  return c;
}

std::vector<Bf16> random_bf16(std::size_t n, std::mt19937& random) {
  std::vector<Bf16> v(n);
  for (Bf16& x : v) x = isa::to_bf16(static_cast<float>(static_cast<int>(random() % 2001U) - 1000) / 256.0F);
  return v;
}

/// Expert of a route, by (rank, token, k).
using Routing = std::function<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t)>;

/// Distinct experts for a token, spread by a multiplicative hash.
Routing spread(const LayerConfig& c) {
  return [experts = c.experts](std::uint32_t rank, std::uint32_t t, std::uint32_t k) {
    return ((rank * 131 + t) * 2654435761U / 65536U + k) % experts;
  };
}

/// All cards of one exchange: inputs, the reference's results, and the device tensors of the three kernels.
class Exchange {
 public:
  Exchange(const LayerConfig& config, const Routing& routing) : c{config}, bench{config.ranks} {
    std::mt19937 random{7};
    for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
      Card& card = cards.emplace_back();
      for (std::uint32_t t = 0; t < c.tokens(); ++t) {
        card.scale.push_back(0.01F + static_cast<float>(random() % 1000U) * 1e-4F);
        for (std::uint32_t k = 0; k < c.top_k; ++k) {
          card.indices.push_back(static_cast<std::int32_t>(routing(rank, t, k)));
          card.weights.push_back(static_cast<float>(random() % 1000U) * 1e-3F);
        }
      }
      card.x.resize(std::size_t{c.tokens()} * c.hidden);
      for (std::int8_t& x : card.x) x = static_cast<std::int8_t>(static_cast<int>(random() % 255U) - 127);
      card.y = random_bf16(std::size_t{c.recv_rows()} * c.hidden, random);
      card.shared = random_bf16(card.x.size(), random);
    }
    for (std::uint32_t rank = 0; rank < c.ranks; ++rank) bind(rank);
  }

  void dispatch() { bench.run(kernels::dispatch(c, isa::a2a3_arch_spec())); }
  void combine() {
    bench.run(kernels::combine_push(c, isa::a2a3_arch_spec()));
    push_us = bench.task_us();
    bench.run(kernels::combine_reduce(c, isa::a2a3_arch_spec()));
  }

  void check_received() {
    const std::vector<Received> expected = reference_dispatch();
    for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
      INFO("rank " << rank);
      const Received& e = expected[rank];
      CHECK(bench.read<std::int32_t>("status", rank) == std::vector<std::int32_t>(8));
      REQUIRE(bench.read<std::int32_t>("recv_count", rank) == e.count);
      const auto x = bench.read<std::int8_t>("recv_x", rank);
      const auto scale = bench.read<float>("recv_scale", rank), w = bench.read<float>("recv_w", rank);
      const auto route = bench.read<std::int32_t>("recv_route", rank);
      std::size_t wrong = 0, overwritten = 0;
      for (std::size_t row = 0; row < c.recv_rows(); ++row) {
        const auto begin = static_cast<std::ptrdiff_t>(row * c.hidden), end = begin + std::ptrdiff_t{c.hidden};
        if (row % c.recv_max < static_cast<std::size_t>(e.count[row / c.recv_max])) {
          const bool same = std::equal(x.begin() + begin, x.begin() + end, e.x.begin() + begin) &&
                            scale[row] == e.scale[row] && w[row] == e.w[row] && route[row] == e.route[row];
          wrong += same ? 0 : 1;
        } else {
          overwritten += static_cast<std::size_t>(
              std::count_if(x.begin() + begin, x.begin() + end, [](std::int8_t v) { return v != kUntouched; }));
        }
      }
      CHECK(wrong == 0);
      CHECK(overwritten == 0);
    }
  }

  void check_combined() {
    const std::vector<Received> received = reference_dispatch();
    std::vector<reference::ReturnIn> in;
    std::vector<std::vector<Bf16>> routed(c.ranks, std::vector<Bf16>(std::size_t{c.routes()} * c.hidden));
    const std::vector<std::span<Bf16>> spans{routed.begin(), routed.end()};
    for (std::uint32_t r = 0; r < c.ranks; ++r) {
      in.push_back({cards[r].y, received[r].route, received[r].source, received[r].count});
    }
    reference::return_rows(c, in, spans);
    for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
      INFO("rank " << rank);
      CHECK(bench.read<Bf16>("win_y", rank) == routed[rank]);
      std::vector<Bf16> ffn(cards[rank].shared.size());
      reference::combine(c, cards[rank].shared, routed[rank], ffn);
      CHECK(bench.read<Bf16>("ffn", rank) == ffn);
    }
  }

  struct Card {
    std::vector<std::int32_t> indices;
    std::vector<float> weights, scale;
    std::vector<std::int8_t> x;
    std::vector<Bf16> y, shared;
  };
  struct Received {
    std::vector<std::int8_t> x;
    std::vector<float> scale, w;
    std::vector<std::int32_t> route, source, count;
  };

  [[nodiscard]] std::vector<Received> reference_dispatch() const {
    const std::size_t rows = c.recv_rows();
    std::vector<Received> received(c.ranks);
    std::vector<reference::DispatchIn> in;
    std::vector<reference::DispatchOut> out;
    for (std::uint32_t r = 0; r < c.ranks; ++r) {
      Received& to = received[r];
      to.x.resize(rows * c.hidden);
      to.scale.resize(rows);
      to.w.resize(rows);
      to.route.resize(rows);
      to.source.resize(rows);
      to.count.resize(c.local_experts);
      in.push_back({cards[r].x, cards[r].scale, cards[r].indices, cards[r].weights});
      out.push_back({to.x, to.scale, to.w, to.route, to.source, to.count});
    }
    reference::dispatch(c, in, out);
    return received;
  }

  LayerConfig c;
  test::KernelBench bench;
  std::vector<Card> cards;
  double push_us = 0;

 private:
  void bind(std::uint32_t rank) {
    const Card& card = cards[rank];
    const std::size_t rows = c.recv_rows();
    const std::vector<std::int32_t> cells(c.ranks);
    bench.bind("indices", card.indices, rank);
    bench.bind("weights", card.weights, rank);
    bench.bind("x_i8", card.x, rank);
    bench.bind("x_scale", card.scale, rank);
    bench.bind("win_pub_counts", std::vector<std::int32_t>(std::size_t{c.ranks} * c.experts), rank);
    bench.bind("win_count_done", cells, rank);
    bench.bind("win_data_done", cells, rank);
    bench.bind("win_combine_done", cells, rank);
    bench.bind("win_x", std::vector<std::int8_t>(rows * c.hidden), rank);
    bench.bind("win_scale", std::vector<float>(rows * 8), rank);
    bench.bind("win_w", std::vector<float>(rows * 8), rank);
    bench.bind("win_route", std::vector<std::int32_t>(rows * 8), rank);
    bench.bind("win_y", std::vector<Bf16>(std::size_t{c.routes()} * c.hidden), rank);
    bench.bind("recv_x", std::vector<std::int8_t>(rows * c.hidden, kUntouched), rank);
    bench.bind("recv_scale", std::vector<float>(rows), rank);
    bench.bind("recv_w", std::vector<float>(rows), rank);
    bench.bind("recv_route", std::vector<std::int32_t>(rows), rank);
    bench.bind("recv_count", std::vector<std::int32_t>(c.local_experts, -1), rank);
    bench.bind("status", std::vector<std::int32_t>(8, -1), rank);
    bench.bind("y", card.y, rank);
    bench.bind("sh", card.shared, rank);
    bench.bind("ffn", std::vector<Bf16>(card.shared.size()), rank);
  }
};

void check_exchange(const LayerConfig& config, const Routing& routing) {
  Exchange exchange{config, routing};
  exchange.dispatch();
  exchange.check_received();
  exchange.combine();
  exchange.check_combined();
}

TEST_CASE("rows reach the experts of one card and come back", "[exchange]") {
  check_exchange(small_config(1), spread(small_config(1)));
}
TEST_CASE("rows reach the experts of two cards and come back", "[exchange]") {
  check_exchange(small_config(2), spread(small_config(2)));
}
TEST_CASE("rows reach the experts of four cards and come back", "[exchange]") {
  check_exchange(small_config(4), spread(small_config(4)));
}
TEST_CASE("rows reach the experts of eight cards and come back", "[exchange]") {
  check_exchange(small_config(8), spread(small_config(8)));
}
TEST_CASE("fewer tokens than blocks and a width of several pieces are exchanged", "[exchange]") {
  LayerConfig c = small_config(2);
  c.batch = 1;
  c.seq = 5;
  c.hidden = 1056;
  check_exchange(c, spread(c));
}
TEST_CASE("more tokens than a block holds at a time are exchanged", "[exchange]") {
  LayerConfig c = small_config(2);
  c.batch = 300;
  c.hidden = 32;
  c.recv_max = 700;
  check_exchange(c, spread(c));
}
TEST_CASE("rows that take longer over the link than a notify are there before they are counted", "[exchange]") {
  LayerConfig c = small_config(2);
  c.batch = 16;
  c.hidden = 10240;
  // Card 0 sends only to itself, card 1 only over the link: card 0 is ready long before the rows of card 1 arrive.
  check_exchange(c, [&](std::uint32_t, std::uint32_t t, std::uint32_t k) { return (t + k) % c.local_experts; });
}
TEST_CASE("an expert that nobody chooses receives no rows", "[exchange]") {
  const LayerConfig c = small_config(2);
  check_exchange(c, [&](std::uint32_t, std::uint32_t t, std::uint32_t k) {
    const std::uint32_t id = (t + k) % (c.experts - 1);
    return id < 6 ? id : id + 1;  // not expert 6
  });
}
TEST_CASE("an expert receives exactly as many rows as it may", "[exchange]") {
  LayerConfig c = small_config(2);
  c.recv_max = 2 * c.tokens();  // k = 0 of every token of both ranks
  check_exchange(c, [](std::uint32_t, std::uint32_t t, std::uint32_t k) { return k == 0 ? 7U : t % 5; });
}
TEST_CASE("a token that names one expert several times sends its row several times", "[exchange]") {
  LayerConfig c = small_config(2);
  c.recv_max = c.routes();
  check_exchange(c, [](std::uint32_t rank, std::uint32_t t, std::uint32_t k) { return k == 2 ? rank : 3 + t % 4; });
}

TEST_CASE("an expert with too many rows is reported by every rank and nothing is sent", "[exchange]") {
  LayerConfig c = small_config(4);
  c.recv_max = 4 * c.tokens() - 1;
  Exchange exchange{c, [](std::uint32_t, std::uint32_t t, std::uint32_t k) { return k == 0 ? 13U : t % 5; }};
  CHECK_THROWS_AS(exchange.reference_dispatch(), ConfigError);
  exchange.dispatch();
  exchange.combine();
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    INFO("rank " << rank);
    const auto limit = static_cast<std::int32_t>(c.recv_max);
    CHECK(exchange.bench.read<std::int32_t>("status", rank) ==
          std::vector<std::int32_t>{1, 2, 3, limit + 1, limit, 0, 0, 0});
    CHECK(exchange.bench.read<std::int32_t>("recv_count", rank) == std::vector<std::int32_t>(c.local_experts));
    const auto is_zero = [](auto v) { return v == decltype(v){}; };
    const auto x = exchange.bench.read<std::int8_t>("win_x", rank);
    CHECK(std::all_of(x.begin(), x.end(), is_zero));
    const auto scale = exchange.bench.read<float>("win_scale", rank);
    CHECK(std::all_of(scale.begin(), scale.end(), is_zero));
    const auto y = exchange.bench.read<Bf16>("win_y", rank);
    CHECK(std::all_of(y.begin(), y.end(), is_zero));
    const auto out = exchange.bench.read<std::int8_t>("recv_x", rank);
    CHECK(std::all_of(out.begin(), out.end(), [](std::int8_t v) { return v == kUntouched; }));
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
  CHECK(kernels::dispatch(c, arch).blocks == 8);
  CHECK(kernels::combine_push(c, arch).blocks == 48);
  CHECK(kernels::combine_reduce(c, arch).blocks == 48);
}

TEST_CASE("the exchange of a flash layer between two cards takes tens of microseconds", "[exchange]") {
  LayerConfig c;  // T = 128, KE = 6, D = 4096, EL = 32
  Exchange exchange{c, spread(c)};
  exchange.dispatch();
  const double dispatch_us = exchange.bench.task_us();
  exchange.check_received();
  exchange.combine();
  const double reduce_us = exchange.bench.task_us();
  exchange.check_combined();
  INFO("dispatch " << dispatch_us << " us, push " << exchange.push_us << " us, reduce " << reduce_us << " us");
  CHECK(dispatch_us < 100);
  CHECK(exchange.push_us < 100);
  CHECK(reduce_us < 20);
}

}  // namespace
}  // namespace npu
