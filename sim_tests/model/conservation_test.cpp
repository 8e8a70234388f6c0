// What goes in comes out, and every cycle is accounted for: two cards that exchange a tile, against a spy on the run.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <numeric>

#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/spy_sink.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

using namespace isa;
using traces::SpanKind;

constexpr std::uint32_t kRows = 16, kCols = 256, kBytes = kRows * kCols * 4;
constexpr std::uint64_t kNotifyBytes = 64;  // a notify travels as a cache line

/// Every card stores x into the peer's window, tells it, waits for its own window and writes y = window + 1.
kernels::Kernel swap_tiles() {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"swap", arch};
  const auto x = k.input("x", DType::F32, kCols);
  const auto window = k.inout("window", DType::F32, kCols);
  const auto cell = k.inout("cell", DType::I32, 8);
  const auto y = k.output("y", DType::F32, kCols);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), window_gm = p.tensor(window), cell_gm = p.tensor(cell), y_gm = p.tensor(y);
    const Tile tile = p.ub(DType::F32, kRows, kCols, "tile"), result = p.ub(DType::F32, kRows, kCols, "result");
    const Reg rank = p.special(SpecialReg::CardRank);
    Reg distance = rank * -2;  // to the peer: +1 card from card 0, -1 from card 1
    distance += 1;
    const Reg bytes = distance * p.imm(std::int64_t{1} << model::kCardShift);
    p.tload(tile, x_gm.at(0, 0));
    p.sync(Pipe::MTE2, Pipe::MTE3);
    Gm there = window_gm.at(0, 0);
    there.base += bytes;
    p.tstore(there, tile);
    p.barrier_all();
    p.notify_add(cell_gm.address(0, 0) + bytes, p.imm(1));
    p.wait_cell(CompareMode::Ge, cell_gm.address(0, 0), p.imm(1));
    p.tload(tile, window_gm.at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.vecs(Opcode::TAddS, result, tile, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y_gm.at(0, 0), result);
  });
  return kernels::pack(k, 1);
}

struct Swap {
  Swap() {
    for (std::uint32_t card = 0; card < 2; ++card) {
      std::vector<float> values(kRows * kCols);
      std::iota(values.begin(), values.end(), 10'000.0F * static_cast<float>(card));
      x.push_back(values);
      bench.bind("x", values, card);
      bench.bind("window", std::vector<float>(values.size()), card);
      bench.bind("cell", std::vector<std::int32_t>(8), card);
      bench.bind("y", std::vector<float>(values.size()), card);
    }
    bench.run(swap_tiles());
  }
  test::SpySink sink;
  test::KernelBench bench{test::test_machine(), 2, &sink};
  std::vector<std::vector<float>> x;
};

TEST_CASE("the bytes that two cards exchange are the bytes that the links and memories count", "[conservation]") {
  Swap swap;
  for (std::uint32_t card = 0; card < 2; ++card) {
    std::vector<float> expected = swap.x[1 - card];
    for (float& v : expected) v += 1;
    CHECK(swap.bench.read<float>("y", card) == expected);
  }
  const model::RunStats run = swap.bench.stats();
  REQUIRE(run.links.size() == 2);
  for (const model::LinkStats& link : run.links) {
    INFO("link " << link.from << " to " << link.to);
    CHECK(link.bytes.count() == kBytes + kNotifyBytes);
    std::uint64_t carried = 0, busy = 0;
    for (const auto& span : swap.sink.on(fmt::format("link{}to{}", link.from, link.to))) {
      carried += span.detail;
      busy += span.end - span.begin;
    }
    CHECK(carried == kBytes);
    CHECK(busy == link.busy);
    CHECK(busy == kBytes / 16);  // the link's 16 bytes a cycle, nobody else on it
  }
  for (const model::CardStats& card : run.cards) {
    CHECK(card.l2_read.count() == 2 * kBytes);                  // x and the window
    CHECK(card.l2_hit_bytes == kBytes);                         // the window: the peer's store left it in L2
    CHECK(card.hbm_read.count() == kBytes);                     // x
    CHECK(card.l2_write.count() == 2 * kBytes + kNotifyBytes);  // the window, the cell and y
  }
}

TEST_CASE("busy, waiting and idle cycles of every pipe add up to the elapsed time of its core", "[conservation]") {
  Swap swap;
  const model::RunStats run = swap.bench.stats();
  std::uint64_t in_blocks = 0, instructions = 0;
  for (std::uint32_t card = 0; card < 2; ++card) {
    const model::CardStats& stats = run.cards[card];
    const auto blocks = swap.sink.on(fmt::format("card{}.cluster0.aiv0", card));
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].begin >= stats.begin);
    CHECK(blocks[0].end <= stats.end);
    const std::uint64_t length = blocks[0].end - blocks[0].begin;
    in_blocks += length;
    REQUIRE(run.tasks[card].core_cycles == length);
    for (const Pipe pipe : {Pipe::S, Pipe::MTE2, Pipe::V, Pipe::MTE3}) {
      INFO("card " << card << " pipe " << name_of(pipe));
      const model::PipeStats& counted = run.tasks[card].pipes[index_of(CoreKind::AIV)][index_of(pipe)];
      const std::uint64_t waited = std::accumulate(counted.wait.begin(), counted.wait.end(), std::uint64_t{0});
      CHECK(counted.busy + waited == length);
      // The timeline tells the same story; it leaves out flags, barriers and empty queues.
      std::uint64_t end = blocks[0].begin, busy = 0;
      for (const auto& span : swap.sink.on(fmt::format("card{}.cluster0.aiv0.{}", card, name_of(pipe)))) {
        CHECK(span.begin >= end);
        end = span.end;
        if (span.kind == SpanKind::Instruction) busy += span.end - span.begin;
      }
      CHECK(end <= blocks[0].end);
      CHECK(busy <= counted.busy);
    }
  }
  for (const Pipe pipe : {Pipe::S, Pipe::MTE2, Pipe::V, Pipe::MTE3}) {
    const model::PipeStats& total = run.pipes[index_of(CoreKind::AIV)][index_of(pipe)];
    CHECK(total.busy + std::accumulate(total.wait.begin(), total.wait.end(), std::uint64_t{0}) == in_blocks);
    instructions += total.instructions;
  }
  CHECK(instructions == run.instructions);
}

}  // namespace
}  // namespace npu
