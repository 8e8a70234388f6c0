// Parts of a core alone: a pipe, flags, cross-core flags.
#include <catch2/catch.hpp>

#include "model/core/core_pipe.hpp"
#include "model/core/flags.hpp"
#include "model/core/pipe_set.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu::model {
namespace {

using isa::Opcode;

/// What a core is made of, without a core: nothing runs, so neither memory nor cells are used.
struct Bench {
  Machine machine = test::test_machine();
  Clock clock{machine.params.clock.core_mhz};
  FaultLatch faults;
  Observers observers;
  Environment env{machine, clock, observers, nullptr, faults};
  MemorySystem memory{env, 1};
  CoreContext core{env, core_location(0, 1, 1), {memory, nullptr}};
  PipeSet pipes{core};

  static isa::Operation operation(Opcode opcode, isa::Pipe pipe, std::uint32_t index = 0) {
    isa::Operation op;
    op.opcode = opcode;
    op.pipe = pipe;
    op.index = index;
    return op;
  }
  static isa::Operation flag(Opcode opcode, isa::Pipe from, isa::Pipe to, std::uint32_t id) {
    isa::Operation op = operation(opcode, opcode == Opcode::SetFlag ? from : to);
    op.flag_from = from;
    op.flag_to = to;
    op.flag = id;
    return op;
  }
};

TEST_CASE("a pipe starts its operations in order, one when the one before has left it", "[core]") {
  Bench b;
  CorePipe& v = b.pipes[isa::Pipe::V];
  b.pipes.push(Bench::operation(Opcode::TAdd, isa::Pipe::V, 1), 10);
  b.pipes.push(Bench::operation(Opcode::TMul, isa::Pipe::V, 2), 11);
  REQUIRE(v.next_start() == 10);
  v.start(10);
  v.enter_flight(10, 30, 45, 45);
  b.pipes.find_start(isa::Pipe::V);
  CHECK(v.next_start() == 30);
  CHECK(v.next_retirement() == 45);
  CHECK(v.oldest().index == 1);
  CHECK(v.front().index == 2);
  v.start(30);
  v.enter_flight(30, 40, 41, 41);
  CHECK(v.last_retirement() == 45);  // in order, so not before the first
  v.retire();
  CHECK(v.oldest().index == 2);
  CHECK(v.next_retirement() == 45);
  v.retire();
  CHECK(v.idle());
  CHECK(v.stats().busy == 45 - 10);  // until its results are there
  CHECK(v.stats().instructions == 2);
}

TEST_CASE("a pipe's time in a block is what it worked and what it waited", "[core]") {
  Bench b;
  b.pipes.begin_block(5);
  CorePipe& v = b.pipes[isa::Pipe::V];
  b.pipes.push(Bench::flag(Opcode::WaitFlag, isa::Pipe::MTE2, isa::Pipe::V, 3), 8);
  CHECK(v.next_start() == kNever);  // the flag is not set
  b.pipes.set_flag(isa::Pipe::MTE2, isa::Pipe::V, 3, 20, 0);
  REQUIRE(v.next_start() == 20);
  v.start(20);
  b.pipes.take_flag(isa::Pipe::MTE2, isa::Pipe::V, 3);
  v.pass(20, 2);
  v.end_block(30);
  const PipeStats& stats = v.stats();
  CHECK(stats.wait[static_cast<std::size_t>(WaitReason::Instruction)] == 3 + 8);
  CHECK(stats.wait[static_cast<std::size_t>(WaitReason::Flag)] == 12);
  CHECK(stats.busy == 2);
  CHECK(3 + 8 + 12 + 2 == 30 - 5);
}

TEST_CASE("a barrier of a pipe waits for the results of what went before", "[core]") {
  Bench b;
  CorePipe& v = b.pipes[isa::Pipe::V];
  b.pipes.push(Bench::operation(Opcode::TAdd, isa::Pipe::V), 0);
  b.pipes.push(Bench::operation(Opcode::PipeBarrier, isa::Pipe::V), 1);
  v.start(0);
  v.enter_flight(0, 10, 25, 25);
  b.pipes.find_start(isa::Pipe::V);
  CHECK(v.next_start() == 25);
}

TEST_CASE("a barrier of the vector pipe waits until the pipe sees its own results", "[core]") {
  Bench b;
  CorePipe& v = b.pipes[isa::Pipe::V];
  b.pipes.push(Bench::operation(Opcode::TAdd, isa::Pipe::V), 0);
  b.pipes.push(Bench::operation(Opcode::PipeBarrier, isa::Pipe::V), 1);
  v.start(0);
  v.enter_flight(0, 10, 10, 28);
  b.pipes.find_start(isa::Pipe::V);
  CHECK(v.next_retirement() == 10);  // other pipes have the result
  CHECK(v.next_start() == 28);
}

TEST_CASE("a vector core has no cube pipes, and is idle when all of its own are", "[core]") {
  Bench b;
  CHECK(b.pipes.queued() == std::vector{isa::Pipe::MTE2, isa::Pipe::V, isa::Pipe::MTE3});
  CHECK(b.pipes.idle());
  b.pipes.push(Bench::operation(Opcode::TAdd, isa::Pipe::V), 0);
  CHECK_FALSE(b.pipes.idle());
  b.pipes[isa::Pipe::V].start(0);
  b.pipes[isa::Pipe::V].enter_flight(0, 10, 25, 25);
  CHECK_FALSE(b.pipes.idle());
  b.pipes[isa::Pipe::V].retire();
  CHECK(b.pipes.idle());
  CHECK(b.pipes.idle_since(3) == 25);
}

TEST_CASE("a flag is set once, for one pair of pipes and one id", "[core]") {
  Flags flags{8};
  CHECK_FALSE(flags.any_set());
  flags.set(isa::Pipe::MTE2, isa::Pipe::V, 7, 100);
  CHECK(flags.set_at(isa::Pipe::MTE2, isa::Pipe::V, 7) == 100);
  CHECK(flags.set_at(isa::Pipe::V, isa::Pipe::MTE2, 7) == kNever);
  CHECK(flags.set_at(isa::Pipe::MTE2, isa::Pipe::V, 6) == kNever);
  const auto left = flags.any_set();
  REQUIRE(left);
  CHECK((left->from == isa::Pipe::MTE2 && left->to == isa::Pipe::V && left->id == 7));
  flags.take(isa::Pipe::MTE2, isa::Pipe::V, 7);
  CHECK_FALSE(flags.any_set());
}

TEST_CASE("the cube core waits for a cross-core flag of both vector cores", "[core]") {
  CrossFlags flags{16, isa::CoreKind::AIC};
  CHECK(flags.receive(2, 0, 50) == 1);
  CHECK(flags.arrived(2) == kNever);
  CHECK(flags.receive(2, 1, 40) == 1);
  CHECK(flags.arrived(2) == 50);
  CHECK(flags.receive(2, 1, 60) == 2);
  flags.take(2);
  CHECK(flags.arrived(2) == kNever);
  const auto left = flags.any_left();
  REQUIRE(left);
  CHECK((left->id == 2 && left->count == 1));
}

TEST_CASE("a vector core waits for the cube core alone", "[core]") {
  CrossFlags flags{16, isa::CoreKind::AIV};
  flags.receive(0, 0, 70);
  CHECK(flags.arrived(0) == 70);
  flags.take(0);
  CHECK_FALSE(flags.any_left());
}

}  // namespace
}  // namespace npu::model
