// Each instruction of the table is executed: by the scalar unit, or with its semantics and its timing law on a pipe.
#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "isa/instructions/instruction_table.hpp"
#include "isa/numerics/numerics.hpp"
#include "isa/text/assembler.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/spy_sink.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

kernels::Kernel every_opcode() {
  const std::string path = NPU_SOURCE_DIR "/sim_tests/model/every_opcode.npu";
  std::ifstream file{path};
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  kernels::Kernel kernel{.object = isa::assemble(text, "every_opcode.npu"), .memory_map = {}};
  isa::require_legal(kernel.object, isa::a2a3_arch_spec());
  return kernel;
}

TEST_CASE("the program of all instructions leaves none out", "[opcodes]") {
  const kernels::Kernel kernel = every_opcode();
  std::set<isa::Opcode> found;
  for (const auto& part : {kernel.object.cube, kernel.object.vector}) {
    for (const isa::Instruction& ins : part.value().code) found.insert(ins.opcode);
  }
  for (const isa::OpInfo& row : isa::instruction_table()) {
    INFO(row.mnemonic);
    CHECK(found.contains(row.opcode));
  }
}

TEST_CASE("every instruction runs on a core, takes time and does its work", "[opcodes]") {
  test::SpySink sink;
  test::KernelBench bench{test::test_machine(), 1, &sink};
  std::vector<float> x(16 * 32);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.0F + static_cast<float>(i % 7);
  std::vector<isa::Bf16> w(16 * 16);
  for (std::size_t i = 0; i < 16; ++i) w[i * 16 + i] = isa::to_bf16(3.0F);
  bench.bind("x", x);
  bench.bind("w", w);
  bench.bind("y", std::vector<float>(16 * 16));
  bench.bind("cells", std::vector<std::int32_t>(128));
  bench.bind("registers", std::vector<std::int64_t>(16));
  bench.run(every_opcode());

  // With p = 2^32: a = p + 6 and b = 4; mov, add, sub, mul, div, rem, min, max, and, or, xor, shl, shr, addi, muli,
  // cmp.
  const std::int64_t p = std::int64_t{1} << 32;
  CHECK(bench.read<std::int64_t>("registers") == std::vector<std::int64_t>{4, p + 10, p + 2, 4 * p + 24, p / 4 + 1, 2,
                                                                           4, p + 6, 4, p + 6, p + 2, 16 * p + 96,
                                                                           p / 16, p - 1, -2 * p - 12, 1});
  // bias + w x w: the diagonal is 9, and the bias is the first row of x.
  const auto y = bench.read<float>("y");
  CHECK(y[0] == 1.0F + 9.0F);
  CHECK(y[1] == 2.0F);
  const auto cells = bench.read<std::int32_t>("cells");
  for (const std::size_t core : {0U, 64U}) {
    CHECK(cells[core + 32] == 1);  // its own notify
    CHECK(cells[core + 4] == 1);   // what ttest saw of it
  }
  x[0] = x[3 * 32 + 3];  // ldtile, sttile, tstore
  CHECK(bench.read<float>("x") == x);

  std::set<std::string> on_pipes;
  for (const test::SpySpan& span : sink.spans) {
    if (span.kind == traces::SpanKind::Instruction && span.end > span.begin) on_pipes.insert(span.name);
  }
  for (const isa::OpInfo& row : isa::instruction_table()) {
    using enum isa::OpClass;
    if (row.op_class != Mover && row.op_class != Cube && row.op_class != Vector) continue;
    INFO(row.mnemonic);
    CHECK(on_pipes.contains(std::string{row.mnemonic}));
  }
}

TEST_CASE("division by zero in the scalar unit is a program error", "[opcodes][negative]") {
  kernels::Kernel kernel{.object = isa::assemble(".kernel k\n.vector\n  div r1, r1, r0\n  halt\n", "k.npu"),
                         .memory_map = {}};
  test::KernelBench bench{test::test_machine(), 1, nullptr};
  CHECK_THROWS_WITH(bench.run(kernel), Catch::Contains("`div r1, r1, r0`: division by zero"));
}

}  // namespace
}  // namespace npu
