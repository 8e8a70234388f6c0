// A core's pipes, flags and errors, with times that the round numbers of test_machine() let a reader compute.
#include <catch2/catch.hpp>

#include "isa/builder/kernel_builder.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "kernels/matmul/float_matmul.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/spy_sink.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

using namespace isa;
using test::KernelBench;

kernels::Kernel vector_kernel(const std::function<void(PartBuilder&)>& body) {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"probe", arch};
  k.vector(body);
  return kernels::pack(k, 1);
}

/// y = x + 1 on 64 floats; `synchronise` says whether the vector pipe waits for the load.
kernels::Kernel increment(bool synchronise) {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"increment", arch};
  const auto x = k.input("x", DType::F32, 64);
  const auto y = k.output("y", DType::F32, 64);
  k.vector([&](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 1, 64, "a"), b = p.ub(DType::F32, 1, 64, "b");
    const GmTensor x_gm = p.tensor(x), y_gm = p.tensor(y);
    p.tload(a, x_gm.at(0, 0));
    if (synchronise) p.sync(Pipe::MTE2, Pipe::V);
    p.vecs(Opcode::TAddS, b, a, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y_gm.at(0, 0), b);
  });
  return kernels::pack(k, 1);
}

template <class Error>
std::string message_of(KernelBench& bench, const kernels::Kernel& kernel) {
  try {
    bench.run(kernel);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST_CASE("a dependent vector instruction starts one cycle after the result is visible", "[core][timing]") {
  test::SpySink sink;
  KernelBench bench{test::test_machine(), 1, &sink};
  bench.run(vector_kernel([](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 1, 64, "a"), b = p.ub(DType::F32, 1, 64, "b");
    p.texpands(a, 1.0);
    p.vecs(Opcode::TAddS, b, a, 2.0);
  }));
  const auto tasks = sink.on("card0.cluster0.aiv0");
  REQUIRE(tasks.size() == 1);
  // The core is taken from the set-up on: cold, on the first of two clusters, 200 + 2 * (1000 - 200) / 4 cycles.
  const std::uint64_t t = tasks[0].begin + 600;
  std::vector<test::SpySpan> instructions;
  for (const auto& span : sink.on("card0.cluster0.aiv0.v")) {
    if (span.kind == traces::SpanKind::Instruction) instructions.push_back(span);
  }
  REQUIRE(instructions.size() == 2);
  // Issue takes 1 cycle; one repeat occupies 20 + 1 cycles; the barrier waits 10 for the result and takes 1.
  CHECK(instructions[0].begin == t + 1);
  CHECK(instructions[0].end == t + 1 + 21);
  CHECK(instructions[1].begin == t + 1 + 21 + 10 + 1);
  CHECK(instructions[1].end == t + 33 + 21);
  CHECK(tasks[0].end == t + 54);  // other pipes, and the end of the block, have the result at once
}

TEST_CASE("a read of what was just padded needs a barrier, though it is outside of the valid region",
          "[core][negative]") {
  const auto padded = [](const std::string& between) {
    const std::string text =
        ".kernel padded\n.vector\n.tile t ub f32 nd 8x64 valid=4x64 pad=zero\n"
        ".tile below ub f32 nd 4x64 offset=1024\n.tile u ub f32 nd 4x64 offset=2048\n"
        "  tfillpad t\n" +
        between + "  tcopy u, below\n  halt\n";
    return kernels::Kernel{.object = assemble(text, "padded.npu"), .memory_map = {}};
  };
  KernelBench bench{test::test_machine(), 1, nullptr};
  CHECK_NOTHROW(bench.run(padded("  pipe_barrier v\n")));
  CHECK_THAT(message_of<ProgramError>(bench, padded("")), Catch::Contains("instruction 0 (tfillpad) has not written"));
}

TEST_CASE("a load with its flag feeds the vector pipe", "[core]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  bench.bind("x", std::vector<float>(64, 3.0F));
  bench.bind("y", std::vector<float>(64));
  bench.run(increment(true));
  CHECK(bench.read<float>("y") == std::vector<float>(64, 4.0F));
}

TEST_CASE("without its flag the vector pipe reads what was there before the load", "[core]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  bench.bind("x", std::vector<float>(64, 3.0F));
  bench.bind("y", std::vector<float>(64));
  bench.run(increment(false));
  CHECK(bench.read<float>("y") == std::vector<float>(64, 1.0F));
}

TEST_CASE("every cycle of every pipe is busy or waits for a reason", "[core][conservation]") {
  constexpr std::uint32_t kM = 40, kN = 96, kK = 128;
  KernelBench bench{test::test_machine(), 1, nullptr};
  bench.bind("x", std::vector<std::uint16_t>(kM * kK));
  bench.bind("w", std::vector<std::uint16_t>(kK * kN));
  bench.bind("y", std::vector<float>(kM * kN));
  bench.run(kernels::float_matmul("product", {kM, kN, kK, DType::BF16, kernels::WeightOrder::KN}, a2a3_arch_spec()));
  const model::RunStats run = bench.stats();
  REQUIRE(run.tasks.size() == 1);
  for (const Pipe pipe : {Pipe::S, Pipe::MTE2, Pipe::MTE1, Pipe::M, Pipe::FIX}) {
    const model::PipeStats& stats = run.tasks[0].pipes[index_of(CoreKind::AIC)][index_of(pipe)];
    std::uint64_t sum = stats.busy;
    for (const std::uint64_t wait : stats.wait) sum += wait;
    INFO(name_of(pipe));
    CHECK(sum == run.tasks[0].core_cycles);
    CHECK(stats.busy > 0);
  }
}

TEST_CASE("setting a flag that is set is a program error that names the flag", "[core][negative]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  const auto kernel = vector_kernel([](PartBuilder& p) {
    p.set_flag(Pipe::MTE2, Pipe::V, 3);
    p.set_flag(Pipe::MTE2, Pipe::V, 3);
    p.sync(Pipe::MTE3, Pipe::V);
    p.wait_flag(Pipe::MTE2, Pipe::V, 3);
    p.wait_flag(Pipe::MTE2, Pipe::V, 3);
  });
  const std::string message = message_of<ProgramError>(bench, kernel);
  CHECK_THAT(message, Catch::Contains("flag 3 from mte2 to v is set already"));
  CHECK_THAT(message, Catch::Contains("kernel probe on card0.cluster0.aiv0, block 0, instruction 1"));
}

TEST_CASE("two pipes that wait for each other are a deadlock that names both", "[core][negative]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  const auto kernel = vector_kernel([](PartBuilder& p) {
    p.wait_flag(Pipe::MTE3, Pipe::V, 0);
    p.set_flag(Pipe::V, Pipe::MTE3, 1);
    p.wait_flag(Pipe::V, Pipe::MTE3, 1);
    p.set_flag(Pipe::MTE3, Pipe::V, 0);
  });
  const std::string message = message_of<Deadlock>(bench, kernel);
  CHECK_THAT(message, Catch::Contains("waits for flag 0 from mte3 (kernel probe, instruction 0"));
  CHECK_THAT(message, Catch::Contains("waits for flag 1 from v (kernel probe, instruction 2"));
}

TEST_CASE("a vector instruction that reads an unfinished result is told to put a barrier", "[core][negative]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  kernels::Kernel kernel = vector_kernel([](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 1, 64, "a");
    p.texpands(a, 1.0);
    p.vecs(Opcode::TAddS, a, a, 2.0);
  });
  auto& code = kernel.object.vector->code;
  REQUIRE(code[1].opcode == Opcode::PipeBarrier);
  code[1] = {};
  CHECK_THAT(message_of<ProgramError>(bench, kernel), Catch::Contains("put a pipe_barrier v between them"));
}

TEST_CASE("a load beyond its tensor is a program error that names tensor and kernel", "[core][negative]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  bench.bind("x", std::vector<float>(32));
  bench.bind("y", std::vector<float>(64));
  const std::string message = message_of<ProgramError>(bench, increment(true));
  CHECK_THAT(message, Catch::Contains("increment"));
  CHECK_THAT(message, Catch::Contains("x"));
}

TEST_CASE("a tile extent from a register that exceeds the tile is refused at issue", "[core][negative]") {
  KernelBench bench{test::test_machine(), 1, nullptr};
  const auto kernel = vector_kernel([](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 4, 64, "rows");
    const Reg n = p.imm(5);
    p.texpands(a.valid(n, 64), 0.0);
  });
  CHECK_THAT(message_of<ProgramError>(bench, kernel), Catch::Contains("rows"));
}

/// Fills the first `rows` rows of a tile of four that a register moves two rows on, at the end of UB.
kernels::Kernel fill_at_the_end(std::uint32_t rows) {
  return vector_kernel([rows](PartBuilder& p) {
    (void)p.ub(DType::F32, 732, 64, "rest");  // with `last` 736 rows of 256 bytes: all of UB
    const Tile last = p.ub(DType::F32, 4, 64, "last");
    const Reg offset = p.imm(2 * 256);
    p.texpands(last.at(offset).valid(rows, 64), 1.0);
  });
}

TEST_CASE("a tile that a register moves may end behind its buffer where nothing is touched", "[core]") {
  KernelBench bench;
  CHECK(message_of<ProgramError>(bench, fill_at_the_end(2)) == "no error");
}

TEST_CASE("an access through a tile that a register moves must not leave its buffer", "[core]") {
  KernelBench bench;
  CHECK_THAT(message_of<ProgramError>(bench, fill_at_the_end(3)),
             Catch::Contains("768 bytes at offset 187904 leave ub") && Catch::Contains("188416 allocatable"));
}

}  // namespace
}  // namespace npu
