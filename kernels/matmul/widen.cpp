#include "kernels/matmul/widen.hpp"

#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

//   MTE2   rows 0 | rows 1 | ...
//   V               widen  | ...
//   MTE3                     rows 0 | ...
Kernel build(const std::string& name, std::uint32_t cols, const ArchSpec& arch, const RowSplit& split) {
  KernelBuilder k{name, arch};
  const auto x = k.input("x", DType::BF16, cols);
  const auto y = k.output("y", DType::F32, cols);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), y_gm = p.tensor(y);
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, split.step, cols, Layout::ND, "x"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, split.step, cols, Layout::ND, "y"}});
    split.for_each_step(p, [&](const Reg& row, const Reg& n) {
      load.produce();
      p.tload(load[0].valid(n, cols), x_gm.at(row, 0));  // (n, cols) bf16
      load.push();
      load.consume();
      store.produce();
      p.tcvt(store[0].valid(n, cols), load[0].valid(n, cols), RoundMode::None);
      load.pop();
      store.push();
      store.consume();
      p.tstore(y_gm.at(row, 0), store[0].valid(n, cols));
      store.pop();
    });
  });
  return pack(k, split.blocks());
}

}  // namespace

Kernel widen(const std::string& name, std::uint32_t rows, std::uint32_t cols, const ArchSpec& arch,
             const PlanChoice& choice) {
  constexpr std::uint32_t kMaxStep = 16, kBudget = 128 * 1024;
  return build_fitting(name, split_rows(rows, arch.vector_cores(), kMaxStep, 2 * (2 + 4) * cols, kBudget), arch, choice,
                       [&](const RowSplit& split) { return build(name, cols, arch, split); });
}

}  // namespace npu::kernels
