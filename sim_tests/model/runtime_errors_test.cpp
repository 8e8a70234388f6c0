// Errors that only registers bring about: each names the place, what was wrong, the limit and a way out.
#include <catch2/catch.hpp>

#include <cstring>
#include <limits>

#include "isa/errors.hpp"
#include "sim_tests/support/program_bench.hpp"

namespace npu {
namespace {

using Catch::Matchers::Contains;
using model::Mode;
using test::ProgramBench;

constexpr std::string_view kPitch = R"(.kernel pitch
.arg x in f32
.arg n scalar i64
.vector
.tile a ub f32 nd 8x64
.gm src f32 nd base=r1 pitch_reg=r4
  ldarg r1, 0
  ldarg r4, 1
  tload a, src
  halt
)";

/// A pitch with which the end of the last line, computed modulo 2^64, would lie inside the tensor.
void check_pitch(Mode mode, std::int64_t pitch) {
  model::SystemOptions options = test::one_card();
  options.mode = mode;
  ProgramBench bench{{kPitch}, options};
  const std::string message = bench.message<ProgramError>({pitch});
  INFO(message);
  CHECK_THAT(message,
             Contains("kernel pitch on card0.cluster0.aiv0, block 0, instruction 2 (probe.npu:9) `tload a, gm0`: "
                      "read: ") &&
                 Contains("of 'x' (card 0, 4096 bytes") && Contains("8 lines of 256 bytes") && Contains("way out"));
}

}  // namespace

TEST_CASE("a pitch whose extent exceeds all addresses is refused, in timed mode") {
  check_pitch(Mode::Timed, 7905747460161236407);
}
TEST_CASE("a pitch whose extent exceeds all addresses is refused, in functional mode") {
  check_pitch(Mode::Functional, 7905747460161236407);
}
TEST_CASE("a pitch whose extent exceeds all addresses is refused, in timing mode") {
  check_pitch(Mode::Timing, 2635249153387078803);
}
TEST_CASE("the largest pitch that there is is refused") {
  check_pitch(Mode::Timed, std::numeric_limits<std::int64_t>::max());
}
TEST_CASE("a pitch one byte too large is refused") { check_pitch(Mode::Timed, 549); }

TEST_CASE("a pitch below 0 is refused") {
  ProgramBench bench{{kPitch}};
  CHECK_THAT(bench.message<ProgramError>({-8}),
             Contains("instruction 2 (probe.npu:9)") && Contains("-8 bytes apart; limit: not below 0; way out"));
}

// One run per process: a case for each access.
namespace {

void check_outside(const std::string& line, const std::string& disassembly, const std::string& what) {
  const std::string text =
      ".kernel k\n.arg y inout i32\n.vector\n.tile a ub i32 nd 1x64\n"
      ".gm dst i32 nd base=r1 pitch=256\n  ldarg r1, 0\n  li r2, 4096\n  add r1, r1, r2\n  " +
      line + "\n  halt\n";
  const std::string message = ProgramBench{{text}}.message<ProgramError>();
  CHECK_THAT(message, Contains("kernel k on card0.cluster0.aiv0, block 0, instruction 3 (probe.npu:9) `" + disassembly +
                               "`: " + what + " at offset 4096 of 'y' (card 0, 4096 bytes"));
}

}  // namespace

TEST_CASE("a store outside its tensor names instruction, direction and tensor") {
  check_outside("tstore dst, a", "tstore gm0, a", "write: 256 bytes");
}
TEST_CASE("a scalar load outside its tensor names instruction, direction and tensor") {
  check_outside("ldgm.i32 r3, r1, 0", "ldgm.i32 r3, r1, 0", "scalar load: 4 bytes");
}
TEST_CASE("a scalar store outside its tensor names instruction, direction and tensor") {
  check_outside("stgm.i32 r3, r1, 0", "stgm.i32 r3, r1, 0", "scalar store: 4 bytes");
}
TEST_CASE("a notify outside its tensor names instruction and tensor") {
  check_outside("tnotify.add r1, r2", "tnotify.add r1, r2", "notify: 4 bytes");
}
TEST_CASE("a wait for a cell outside its tensor names instruction and tensor") {
  check_outside("twait.ge r1, r2", "twait.ge r1, r2", "cell: 4 bytes");
}
TEST_CASE("a test of a cell outside its tensor names instruction and tensor") {
  check_outside("ttest.ge r3, r1, r2", "ttest.ge r3, r1, r2", "cell: 4 bytes");
}

TEST_CASE("registers at the ends of their range place nothing inside memory") {
  ProgramBench bench{{R"(.kernel far
.arg x in f32
.arg n scalar i64
.vector
.tile a ub f32 nd 1x64 offset=64 offset_reg=r2
.gm src f32 nd base=r1 pitch=256
  ldarg r1, 0
  ldarg r2, 1
  tload a, src
  halt
)"}};
  CHECK_THAT(bench.message<ProgramError>({std::numeric_limits<std::int64_t>::max() - 31}),
             Contains("instruction 2 (probe.npu:9)") && Contains("leave ub"));
}

TEST_CASE("as many flags as the machine has can be used") {
  model::Machine machine = test::test_machine();
  machine.arch.flags_per_pair = 64;
  ProgramBench bench{{R"(.kernel flags
.arg x in f32
.vector
.tile a ub f32 nd 1x64
.gm src f32 nd base=r1 pitch=256
  ldarg r1, 0
  li r5, 40
  li r6, 63
  tload a, src
  set_flag mte2, s, r5
  set_flag mte2, s, r6
  wait_flag mte2, s, r5
  wait_flag mte2, s, r6
  halt
)"},
                     test::one_card(),
                     machine};
  CHECK_NOTHROW(bench.run());
}

TEST_CASE("a flag that the machine does not have is refused with the figure that limits it") {
  ProgramBench bench{{".kernel flags\n.vector\n  li r5, 8\n  set_flag mte2, v, r5\n  wait_flag mte2, v, r5\n  halt\n"}};
  CHECK_THAT(bench.message<ProgramError>(), Contains("instruction 1 (probe.npu:4)") &&
                                                Contains("flag id 8; limit: 0 to 7 (core.flags_per_pair); way out"));
}

constexpr std::string_view kCross = R"(.kernel cross
.arg x in f32
.cube
.tile t l1 f32 nd 1x64
.gm src f32 nd base=r1 pitch=256
  ldarg r1, 0
  tload t, src
  set_cross mte2, 10
  set_cross mte2, 10
  halt
.vector
.tile a ub f32 nd 1x64
.gm src f32 nd base=r1 pitch=256
  ldarg r1, 0
  tload a, src
  set_flag mte2, s, 0
  wait_flag mte2, s, 0
  wait_cross 10
  wait_cross 10
  halt
)";

TEST_CASE("a cross-core flag above the flags of a pair of pipes can be set and waited for") {
  ProgramBench bench{{kCross}};
  CHECK_NOTHROW(bench.run());
}

TEST_CASE("a cross-core flag beyond its limit names who set it, the figure and a way out") {
  model::Machine machine = test::test_machine();
  machine.arch.cross_flag_limit = 1;
  ProgramBench bench{{kCross}, test::one_card(), machine};
  CHECK_THAT(bench.message<ProgramError>(),
             Contains("kernel cross on card0.cluster0.aic, block 0, instruction 3 (probe.npu:9)") &&
                 Contains("cross-core flag 10 for card0.cluster0.aiv0") &&
                 Contains("limit: 1 (core.cross_flag_limit)"));
}

TEST_CASE("a tile element costs what the machine says, below a scalar instruction's cost too") {
  model::Machine machine = test::test_machine();
  machine.params.core.scalar_cycles = 50;
  machine.params.scheduler.task_setup_us = machine.params.scheduler.task_cold_us = 0;
  ProgramBench bench{{R"(.kernel element
.vector
.tile a ub f32 nd 1x64
  ldtile r1, a, r0, r0
  sttile r1, a, r0, r0
  halt
)"},
                     test::one_card(),
                     machine};
  bench.run();
  // 6 + 4, and the halt that waits for nothing.
  CHECK(bench.system().stats().tasks.at(0).core_cycles == 10);
}

TEST_CASE("the bytes that a task's movers read and write are counted") {
  ProgramBench bench{{R"(.kernel copy
.arg x in f32
.arg y out f32
.vector
.tile a ub f32 nd 4x64
.gm src f32 nd base=r1 pitch=512
.gm dst f32 nd base=r2 pitch=256
  ldarg r1, 0
  ldarg r2, 1
  tload a, src
  tload a, src
  set_flag mte2, mte3, 0
  wait_flag mte2, mte3, 0
  tstore dst, a
  halt
)"}};
  bench.run({}, 3);
  const model::TaskStats task = bench.system().stats().tasks.at(0);
  CHECK(task.read.count() == 3 * 2 * 1024);
  CHECK(task.written.count() == 3 * 1024);
}

TEST_CASE("a line of the data cache may be as long as the gap behind a tensor") {
  model::Machine machine = test::test_machine();
  machine.arch.cache_line = 512;
  ProgramBench bench{{R"(.kernel words
.arg y inout i32
.vector
  ldarg r1, 0
  li r2, 7
  stgm.i32 r2, r1, 508
  dcci.all r0, r0
  dsb
  halt
)"},
                     test::one_card(),
                     machine};
  bench.run();
  std::int32_t value = 0;
  std::memcpy(&value, bench.system().bytes(bench.tensor(0) + 508, model::Bytes{4}).data(), sizeof value);
  CHECK(value == 7);
}

}  // namespace npu
