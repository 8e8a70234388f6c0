// Timing mode on one core: integers are computed, floats are not, and nothing may steer by what was not computed.
#include <catch2/catch.hpp>

#include "isa/builder/kernel_builder.hpp"
#include "isa/errors.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

using namespace isa;
using test::KernelBench;

/// y = x + 1 on 16 elements, then a loop over y[0] iterations, then z = y + 1.
kernels::Kernel counted_loop(DType dtype) {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"counted_loop", arch};
  const auto x = k.input("x", dtype, 16);
  const auto z = k.output("z", dtype, 16);
  k.vector([&](PartBuilder& p) {
    const Tile a = p.ub(dtype, 1, 16, "a");
    p.tload(a, p.tensor(x).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.vecs(Opcode::TAddS, a, a, 1.0);
    p.sync(Pipe::V, Pipe::S);
    const Reg n = p.load_tile(a, 0, 0);
    p.for_range(0, n, 1, [&](const Reg&) { p.vecs(Opcode::TAddS, a, a, 1.0); });
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(p.tensor(z).at(0, 0), a);
  });
  return kernels::pack(k, 1);
}

std::uint64_t cycles_of(const KernelBench& bench) {
  const auto task = bench.stats().tasks.at(0);
  return task.end - task.begin;
}

TEST_CASE("timing mode computes integers: what steers a program is there", "[core][timing]") {
  KernelBench bench{test::test_machine(), 1, nullptr, {}, model::Mode::Timing};
  bench.bind("x", std::vector<std::int32_t>(16, 6));
  bench.bind("z", std::vector<std::int32_t>(16));
  bench.run(counted_loop(DType::I32));
  CHECK(bench.read<std::int32_t>("z") == std::vector<std::int32_t>(16, 6 + 1 + 7));
  CHECK(bench.stats().instructions > 7);
  CHECK(cycles_of(bench) > 0);
}

TEST_CASE("timing mode writes no floats", "[core][timing]") {
  KernelBench bench{test::test_machine(), 1, nullptr, {}, model::Mode::Timing};
  bench.bind("x", std::vector<float>(64, 3.0F));
  bench.bind("y", std::vector<float>(64, 9.0F));
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"copy", arch};
  const auto x = k.input("x", DType::F32, 64);
  const auto y = k.output("y", DType::F32, 64);
  k.vector([&](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 1, 64, "a");
    p.tload(a, p.tensor(x).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::MTE3);
    p.tstore(p.tensor(y).at(0, 0), a);
  });
  bench.run(kernels::pack(k, 1));
  CHECK(bench.read<float>("y") == std::vector<float>(64, 9.0F));
}

std::string refusal(const kernels::Kernel& kernel, const std::vector<float>& x) {
  KernelBench bench{test::test_machine(), 1, nullptr, {}, model::Mode::Timing};
  bench.bind("x", x);
  bench.bind("z", std::vector<float>(x.size()));
  try {
    bench.run(kernel);
  } catch (const ProgramError& e) {
    return e.what();
  }
  return "no error";
}

TEST_CASE("a branch on a float stops a run in timing mode", "[core][timing][negative]") {
  CHECK_THAT(refusal(counted_loop(DType::F32), std::vector<float>(16, 6.0F)),
             Catch::Contains("timing mode does not compute") && Catch::Contains("counted_loop"));
}

/// The bits of floats, computed, stored, and read back as integers; `use` gets one of them.
kernels::Kernel reinterpret(const std::function<void(PartBuilder&, const Tile&, const Reg&)>& use) {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"reinterpret", arch};
  const auto x = k.input("x", DType::F32, 16);
  const auto z = k.output("z", DType::F32, 16);
  k.vector([&](PartBuilder& p) {
    const Tile a = p.ub(DType::F32, 1, 16, "a");
    p.tload(a, p.tensor(x).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::MTE3);
    p.tstore(p.tensor(z).at(0, 0), a);
    p.barrier(Pipe::MTE3);
    p.sync(Pipe::MTE3, Pipe::S);
    const Reg cell = p.tensor(z).address(0, 0);
    use(p, a, p.load_gm(DType::I32, cell));
  });
  return kernels::pack(k, 1);
}

TEST_CASE("integers that alias skipped floats steer no branch in timing mode", "[core][timing][negative]") {
  const auto branch = [](PartBuilder& p, const Tile&, const Reg& bits) {
    p.if_(bits > 3, [&] { p.barrier(Pipe::V); });
  };
  CHECK_THAT(refusal(reinterpret(branch), std::vector<float>(16, 1.0F)),
             Catch::Contains("timing mode does not compute"));
}

TEST_CASE("arithmetic does not give a value to what has none in timing mode", "[core][timing][negative]") {
  const auto extent = [](PartBuilder& p, const Tile& a, const Reg& bits) {
    const Reg rows = bits * 0 + 1;
    p.texpands(a.valid(rows, 16), 0.0);
  };
  CHECK_THAT(refusal(reinterpret(extent), std::vector<float>(16, 1.0F)),
             Catch::Contains("timing mode does not compute"));
}

TEST_CASE("a value that nobody computed may be an operand of float instructions", "[core][timing]") {
  const auto scale = [](PartBuilder& p, const Tile& a, const Reg& bits) { p.vecs(Opcode::TMulS, a, a, bits); };
  CHECK(refusal(reinterpret(scale), std::vector<float>(16, 1.0F)) == "no error");
}

}  // namespace
}  // namespace npu
