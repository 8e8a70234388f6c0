#include "sim_tests/kernels/exchange_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "kernels/moe/combine.hpp"
#include "kernels/moe/dispatch.hpp"
#include "kernels/reference/exchange.hpp"

namespace npu::test {

using isa::Bf16;
using kernels::LayerConfig;
namespace reference = kernels::reference;

namespace {

std::vector<Bf16> random_bf16(std::size_t n, std::mt19937& random) {
  std::vector<Bf16> v(n);
  for (Bf16& x : v) x = isa::to_bf16(static_cast<float>(static_cast<int>(random() % 2001U) - 1000) / 256.0F);
  return v;
}

Exchange::Card make_card(const LayerConfig& c, const Routing& routing, std::uint32_t rank, std::mt19937& random) {
  Exchange::Card card;
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
  return card;
}

std::string scope_of(std::size_t epoch) { return fmt::format("e{}.", epoch); }

}  // namespace

LayerConfig small_exchange(std::uint32_t ranks) {
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

Routing spread(const LayerConfig& c) {
  return [experts = c.experts](std::uint32_t rank, std::uint32_t t, std::uint32_t k) {
    return ((rank * 131 + t) * 2654435761U / 65536U + k) % experts;
  };
}

Exchange::Exchange(const LayerConfig& config, const std::vector<Routing>& routings, std::vector<double> start_skew_us)
    : c{config},
      bench{config.ranks, nullptr, std::move(start_skew_us)},
      dispatch_{kernels::dispatch(c, isa::a2a3_arch_spec())},
      combine_push_{kernels::combine_push(c, isa::a2a3_arch_spec())},
      combine_reduce_{kernels::combine_reduce(c, isa::a2a3_arch_spec())} {
  std::mt19937 random{7};
  for (const Routing& routing : routings) {
    std::vector<Card>& cards = epochs.emplace_back();
    for (std::uint32_t rank = 0; rank < c.ranks; ++rank) cards.push_back(make_card(c, routing, rank, random));
  }
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    bind_windows(rank);
    for (std::size_t epoch = 0; epoch < epochs.size(); ++epoch) bind(epoch, rank);
  }
}

Launch Exchange::launch(const kernels::Kernel& kernel, std::size_t epoch) const {
  return {&kernel, {{"epoch", static_cast<std::int64_t>(epoch)}}, scope_of(epoch)};
}

void Exchange::dispatch() { bench.run({launch(dispatch_, 0)}); }

void Exchange::combine() {
  bench.run({launch(combine_push_, 0)});
  push_us = bench.task_us();
  bench.run({launch(combine_reduce_, 0)});
}

void Exchange::run_all() {
  std::vector<Launch> launches;
  for (std::size_t epoch = 0; epoch < epochs.size(); ++epoch) {
    for (const kernels::Kernel* kernel : {&dispatch_, &combine_push_, &combine_reduce_}) {
      launches.push_back(launch(*kernel, epoch));
    }
  }
  bench.run(launches);
}

void Exchange::check_received(std::size_t epoch) {
  const std::vector<Received> expected = reference_dispatch(epoch);
  const std::string scope = scope_of(epoch);
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    INFO("epoch " << epoch << " rank " << rank);
    const Received& e = expected[rank];
    CHECK(bench.read<std::int32_t>(scope + "status", rank) == std::vector<std::int32_t>(8));
    REQUIRE(bench.read<std::int32_t>(scope + "recv_count", rank) == e.count);
    const auto x = bench.read<std::int8_t>(scope + "recv_x", rank);
    const auto scale = bench.read<float>(scope + "recv_scale", rank), w = bench.read<float>(scope + "recv_w", rank);
    const auto route = bench.read<std::int32_t>(scope + "recv_route", rank);
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

void Exchange::check_combined(std::size_t epoch) {
  const std::vector<Card>& cards = epochs[epoch];
  const std::vector<Received> received = reference_dispatch(epoch);
  std::vector<reference::ReturnIn> in;
  std::vector<std::vector<Bf16>> routed(c.ranks, std::vector<Bf16>(std::size_t{c.routes()} * c.hidden));
  const std::vector<std::span<Bf16>> spans{routed.begin(), routed.end()};
  for (std::uint32_t r = 0; r < c.ranks; ++r) {
    in.push_back({cards[r].y, received[r].route, received[r].source, received[r].count});
  }
  reference::return_rows(c, in, spans);
  for (std::uint32_t rank = 0; rank < c.ranks; ++rank) {
    INFO("epoch " << epoch << " rank " << rank);
    if (epoch + 1 == epochs.size()) CHECK(bench.read<Bf16>("win_y", rank) == routed[rank]);
    std::vector<Bf16> ffn(cards[rank].shared.size());
    reference::combine(c, cards[rank].shared, routed[rank], ffn);
    CHECK(bench.read<Bf16>(scope_of(epoch) + "ffn", rank) == ffn);
  }
}

std::vector<Exchange::Received> Exchange::reference_dispatch(std::size_t epoch) const {
  const std::size_t rows = c.recv_rows();
  std::vector<Received> received(c.ranks);
  std::vector<reference::DispatchIn> in;
  std::vector<reference::DispatchOut> out;
  for (std::uint32_t r = 0; r < c.ranks; ++r) {
    const Card& card = epochs[epoch][r];
    Received& to = received[r];
    to.x.resize(rows * c.hidden);
    to.scale.resize(rows);
    to.w.resize(rows);
    to.route.resize(rows);
    to.source.resize(rows);
    to.count.resize(c.local_experts);
    in.push_back({card.x, card.scale, card.indices, card.weights});
    out.push_back({to.x, to.scale, to.w, to.route, to.source, to.count});
  }
  reference::dispatch(c, in, out);
  return received;
}

void Exchange::bind_windows(std::uint32_t rank) {
  const std::size_t rows = c.recv_rows();
  const std::vector<std::int32_t> cells(c.ranks);
  bench.bind("win_pub_counts", std::vector<std::int32_t>(std::size_t{c.ranks} * c.experts), rank);
  bench.bind("win_count_done", cells, rank);
  bench.bind("win_data_done", cells, rank);
  bench.bind("win_combine_done", cells, rank);
  bench.bind("win_x", std::vector<std::int8_t>(rows * c.hidden), rank);
  bench.bind("win_scale", std::vector<float>(rows * 8), rank);
  bench.bind("win_w", std::vector<float>(rows * 8), rank);
  bench.bind("win_route", std::vector<std::int32_t>(rows * 8), rank);
  bench.bind("win_y", std::vector<Bf16>(std::size_t{c.routes()} * c.hidden), rank);
}

void Exchange::bind(std::size_t epoch, std::uint32_t rank) {
  const Card& card = epochs[epoch][rank];
  const std::string scope = scope_of(epoch);
  const std::size_t rows = c.recv_rows();
  bench.bind(scope + "indices", card.indices, rank);
  bench.bind(scope + "weights", card.weights, rank);
  bench.bind(scope + "x_i8", card.x, rank);
  bench.bind(scope + "x_scale", card.scale, rank);
  bench.bind(scope + "recv_x", std::vector<std::int8_t>(rows * c.hidden, kUntouched), rank);
  bench.bind(scope + "recv_scale", std::vector<float>(rows), rank);
  bench.bind(scope + "recv_w", std::vector<float>(rows), rank);
  bench.bind(scope + "recv_route", std::vector<std::int32_t>(rows), rank);
  bench.bind(scope + "recv_count", std::vector<std::int32_t>(c.local_experts, -1), rank);
  bench.bind(scope + "counts", std::vector<std::int32_t>(std::size_t{c.ranks} * c.experts, -1), rank);
  bench.bind(scope + "status", std::vector<std::int32_t>(8, -1), rank);
  bench.bind(scope + "y", card.y, rank);
  bench.bind(scope + "sh", card.shared, rank);
  bench.bind(scope + "ffn", std::vector<Bf16>(card.shared.size()), rank);
}

}  // namespace npu::test
