// Occurrences of a task add up, cards that do not differ are one row, and what bounds a task is named.
#include "orchestration/report/task_groups.hpp"

#include <catch2/catch.hpp>

#include "orchestration/report/card_figures.hpp"
#include "sim_tests/orchestration/report_samples.hpp"

namespace npu::orch {
namespace {

using isa::CoreKind;
using isa::Pipe;
using traces::WaitReason;

model::RunStats run_of(std::uint32_t cards, const std::vector<test::SampleTask>& tasks) {
  static const model::Machine kMachine = model::load_machine("a2a3", {});
  return test::report_of(kMachine, cards, tasks).stats;
}

/// Pipes of one core that is busy for `busy` of 100 cycles of `pipe` and waits for the reason in the rest.
model::PipeTable pipes_of(CoreKind kind, Pipe pipe, std::uint64_t busy, WaitReason reason,
                          std::uint64_t scalar_busy = 0, WaitReason scalar_reason = WaitReason::QueueFull) {
  model::PipeTable table{};
  auto& pipes = table[isa::index_of(kind)];
  pipes[isa::index_of(pipe)].busy = busy;
  pipes[isa::index_of(pipe)].wait[static_cast<std::size_t>(reason)] = 100 - busy;
  pipes[isa::index_of(Pipe::S)].busy = scalar_busy;
  pipes[isa::index_of(Pipe::S)].wait[static_cast<std::size_t>(scalar_reason)] = 100 - scalar_busy;
  return table;
}

TEST_CASE("the span of a task that runs twice is the sum of its two spans, not the time from first to last") {
  const auto groups =
      task_groups(run_of(1, {{"mix", 0, 100, 110, 5}, {"norm", 0, 110, 500, 5}, {"mix", 0, 500, 530, 5}}));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].name == "mix");
  CHECK(groups[0].count == 2);
  CHECK(groups[0].span == 40);
  CHECK(groups[0].core_cycles == 40);
  CHECK(groups[0].begin == 100);
  CHECK(groups[1].span == 390);
}

TEST_CASE("a task of which no block has ended has no row") {
  model::RunStats stats = run_of(1, {{"mix", 0, 100, 110, 5}});
  stats.tasks.push_back({});
  stats.tasks.back().name = "stuck";
  stats.tasks.back().begin = 120;
  CHECK(task_groups(stats).size() == 1);
}

TEST_CASE("rows follow the order of execution and hold all cards whose spans are close") {
  const auto groups = task_groups(run_of(3, {{"late", 0, 5100, 6100, 5},
                                             {"early", 0, 100, 1100, 5},
                                             {"early", 1, 100, 1140, 5},
                                             {"late", 1, 5100, 6100, 5},
                                             {"early", 2, 100, 2100, 5},
                                             {"late", 2, 5100, 6100, 5}}));
  const auto rows = task_rows(groups, 6000);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].sum.name == "early");
  CHECK(rows[0].cards == std::vector<std::uint32_t>{0, 1});
  CHECK(rows[0].sum.span == 2040);
  CHECK(rows[0].sum.count == 2);
  CHECK(rows[1].cards == std::vector<std::uint32_t>{2});
  CHECK(rows[2].cards == std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE("spans that differ much, but by less than a thousandth of the run, are one row") {
  const auto groups = task_groups(run_of(2, {{"tiny", 0, 100, 110, 5}, {"tiny", 1, 100, 120, 5}}));
  CHECK(task_rows(groups, 100).size() == 2);
  CHECK(task_rows(groups, 100000).size() == 1);
}

TEST_CASE("a pipe that is busy for most of the time bounds the task") {
  const Bound bound = bound_of(pipes_of(CoreKind::AIC, Pipe::MTE2, 90, WaitReason::Flag, 5));
  CHECK(bound.by == "mte2");
  CHECK(bound.pipe->share == Approx(0.9));
  CHECK(bound.wait->name == "flag");
  CHECK(bound.wait->share == Approx(0.1));
}

TEST_CASE("waiting for a peer bounds a task, however busy its pipes are in the rest") {
  const Bound bound = bound_of(pipes_of(CoreKind::AIV, Pipe::MTE3, 4, WaitReason::Instruction, 12, WaitReason::Notify));
  CHECK(bound.by == "wait_notify");
  CHECK(bound.pipe->name == "s");
  CHECK(bound.wait->share == Approx(0.88));
}

TEST_CASE("a single-buffered pipe is bound by its flags, and a task in which nothing has half of the time by latency") {
  CHECK(bound_of(pipes_of(CoreKind::AIC, Pipe::MTE2, 45, WaitReason::Flag)).by == "wait_flag");
  model::PipeTable mixed = pipes_of(CoreKind::AIV, Pipe::V, 40, WaitReason::Flag);
  auto& v = mixed[isa::index_of(CoreKind::AIV)][isa::index_of(Pipe::V)];
  v.wait[static_cast<std::size_t>(WaitReason::Flag)] = 30;
  v.wait[static_cast<std::size_t>(WaitReason::Barrier)] = 30;
  CHECK(bound_of(mixed).by == "latency");
  CHECK(bound_of({}).by == "none");
}

TEST_CASE("empty queues, full queues and the end of a block are no reasons to wait") {
  const Bound bound = bound_of(pipes_of(CoreKind::AIV, Pipe::V, 30, WaitReason::Instruction, 20, WaitReason::Drain));
  CHECK_FALSE(bound.wait.has_value());
  CHECK(bound.by == "latency");
}

TEST_CASE("a wait of the scalar unit while its pipes are busy is no wait of the task") {
  const Bound bound =
      bound_of(pipes_of(CoreKind::AIC, Pipe::MTE2, 93, WaitReason::Instruction, 15, WaitReason::Barrier));
  CHECK(bound.by == "mte2");
  CHECK(bound.wait->name == "barrier");
  CHECK(bound.wait->share == Approx(0.07));
}

TEST_CASE("pipes that wait for each other are seen where the scalar unit is the busiest") {
  const Bound bound = bound_of(pipes_of(CoreKind::AIV, Pipe::V, 5, WaitReason::Flag, 6, WaitReason::Drain));
  CHECK(bound.pipe->name == "s");
  CHECK(bound.by == "wait_flag");
}

TEST_CASE("a task of both kinds of cores says which of them is meant, each measured by the time of its own") {
  model::PipeTable table = pipes_of(CoreKind::AIC, Pipe::MTE2, 60, WaitReason::Flag);
  auto& vector = table[isa::index_of(CoreKind::AIV)];
  vector[isa::index_of(Pipe::V)].busy = 90;  // of 200 cycles of two vector cores
  vector[isa::index_of(Pipe::S)].wait[static_cast<std::size_t>(WaitReason::CrossFlag)] = 200;
  const Bound bound = bound_of(table);
  CHECK(bound.pipe->name == "aic.mte2");
  CHECK(bound.wait->name == "aic.flag");
  CHECK(bound.by == "aic.mte2");
}

TEST_CASE("gaps are the time in which no task runs, before, between and behind tasks") {
  model::RunStats stats = run_of(1, {{"a", 0, 150, 250, 5}, {"b", 0, 200, 300, 5}, {"c", 0, 340, 400, 5}});
  stats.cards[0].end = 410;
  const auto figures = card_figures(stats, 1);
  CHECK(figures[0].effective == 310);
  CHECK(figures[0].gaps == 50 + 40 + 10);
  CHECK(figures[0].idle_share[0] == 1.0);
  CHECK(figures[0].idle_share[1] == Approx(1.0 - 260.0 / 620.0));  // two vector cores
}

TEST_CASE("a card that ended early has no negative time") {
  model::RunStats stats = run_of(1, {{"a", 0, 150, 250, 5}});
  stats.cards[0].end = 0;
  const auto figures = card_figures(stats, 1);
  CHECK(figures[0].effective == 0);
  CHECK(figures[0].gaps == 0);
  CHECK(device_cycles(stats) == 0);
}

TEST_CASE("the share of the HBM bus counts reads and write-backs at their own peaks") {
  const model::Machine machine = model::load_machine(
      "a2a3", {"memory.hbm_read_gb_per_s=1000", "memory.hbm_write_gb_per_s=500", "core.clock_mhz=1000"});
  const MemoryFigures memory{.hbm_read = 300, .hbm_write = 200, .l2_read = 0, .l2_write = 0, .l2_hits = 0, .cycles = 1};
  CHECK(gb_per_s(machine.params, 300, 1) == Approx(300));
  CHECK(hbm_share(machine.params, memory) == Approx(0.3 + 0.4));
}

}  // namespace
}  // namespace npu::orch
