#include "kernels/calibration/vector_add.hpp"

#include "isa/errors.hpp"
#include "isa/units.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kBankTurn = 512;  ///< bytes after which UB addresses come back to the same bank group

/// Elements between the starts of the two sources.
std::uint32_t source_distance(const VectorAddPlan& plan) {
  const std::uint32_t size = size_of(plan.dtype), bytes = plan.chunk * size;
  const std::uint32_t start = plan.banks == VectorAddPlan::Banks::Free ? kBankTurn / 2 : 0;
  return static_cast<std::uint32_t>(round_up(bytes + kBankTurn - start, kBankTurn) - kBankTurn + start) / size;
}

}  // namespace

//   MTE2   x, y 0 | x, y 1 |        ...        (`buffers` pairs in flight)
//   V                add 0 | add 1 | ...
//   MTE3                    z 0    | z 1 ...   (`buffers` results in flight)
Kernel vector_add(const VectorAddPlan& plan, const ArchSpec& arch) {
  if (plan.in_l2 == L2Use::Bypass || plan.out_l2 == L2Use::Bypass) {
    throw config_error(
        "vector-add: not modelled: {} bypass (loads and stores have no L2 hint); leave the flag out, or say keep",
        plan.in_l2 == L2Use::Bypass ? "--in-l2" : "--out-l2");
  }
  const std::uint32_t cores = cores_of("vector-add", plan.cores, arch.vector_cores(), "vector");
  KernelBuilder k{"vector_add", arch};
  const auto x = k.input("x", plan.dtype, plan.cols);
  const auto y = k.input("y", plan.dtype, plan.cols);
  const auto z = k.output("z", plan.dtype, plan.cols);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), y_gm = p.tensor(y), z_gm = p.tensor(z);
    Ring& load = p.ring(plan.buffers, Pipe::MTE2, Pipe::V,
                        {{Space::UB, plan.dtype, 1, source_distance(plan), Layout::ND, "x"},
                         {Space::UB, plan.dtype, 1, plan.chunk, Layout::ND, "y"}});
    Ring& store = p.ring(plan.buffers, Pipe::V, Pipe::MTE3, {{Space::UB, plan.dtype, 1, plan.chunk, Layout::ND, "z"}});
    const std::uint32_t rows = plan.rows / cores, rest = plan.rows % cores;
    const Reg first_row = p.block_index() * rows + min(p.block_index(), rest);
    const Reg next_block = p.block_index() + 1;
    const Reg last_row = next_block * rows + min(next_block, rest);
    const Reg end = last_row * plan.cols;
    p.for_range(first_row * plan.cols, end, plan.chunk, [&](const Reg& at) {
      const Reg n = min(end - at, plan.chunk);
      load.produce();
      p.tload(load[0].valid(1, n), x_gm.at(0, at));
      p.tload(load[1].valid(1, n), y_gm.at(0, at));
      load.push();
      load.consume();
      store.produce();
      p.vec(Opcode::TAdd, store[0].valid(1, n), load[0].valid(1, n), load[1].valid(1, n));
      load.pop();
      store.push();
      store.consume();
      p.tstore(z_gm.at(0, at), store[0].valid(1, n));
      store.pop();
    });
  });
  return pack(k, cores);
}

}  // namespace npu::kernels
