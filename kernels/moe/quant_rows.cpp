#include "kernels/moe/quant_rows.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/quantise.hpp"
#include "kernels/moe/expert_rows.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Rows of one step: as many as fit, but few enough that every vector core gets some of `rows`; at most 16. One where
/// even that does not fit, which the builder then refuses with the memory map.
std::uint32_t step_rows(std::uint32_t rows, std::uint32_t cols, const ArchSpec& arch) {
  const std::uint32_t element = 2 * (4 + 1) + RowQuantiser::kBytesPerElement;  // two slots of f32 and i8
  const std::uint64_t columns = 6 * arch.fractal_bytes * 4;                    // per-row scalars of up to 16 rows
  const std::uint64_t line = round_up(cols, arch.fractal_bytes) * element;
  const std::uint64_t capacity = arch.buffer(Space::UB).capacity.count();
  const std::uint64_t fitting = capacity > columns ? (capacity - columns) / line : 0;
  const std::uint64_t share = ceil_div(rows, arch.vector_cores());
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fitting, 1, std::clamp<std::uint64_t>(share, 1, 16)));
}

struct Arguments {
  TensorArgument x, q, scale;
};

//   MTE2   rows 0 | rows 1 | ...        x -> UB
//   V               Q      | Q ...
//   MTE3                     rows 0 | ...   q, scale -> GM
void emit_rows(PartBuilder& p, const Arguments& args, const ExpertRows& experts, std::uint32_t step,
               std::uint32_t blocks) {
  const std::uint32_t cols = args.x.cols;
  const GmTensor x = p.tensor(args.x), q = p.tensor(args.q), scale = p.tensor(args.scale);
  Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, step, cols, Layout::ND, "x"}});
  RowQuantiser quantiser{p, step, cols};
  Ring& store = p.ring(
      2, Pipe::V, Pipe::MTE3,
      {{Space::UB, DType::I8, step, cols, Layout::ND, "q"}, {Space::UB, DType::F32, step, 1, Layout::DN, "scale"}});
  const auto steps_of = [&](const Reg& rows) { return (rows + (step - 1)) / step; };
  experts.for_each_item(p, blocks, steps_of, [&](const Reg& expert, const Reg& rows, const Reg& item) {
    const Reg first = item * step;
    const Reg n = min(rows - first, step);
    const Reg row = expert * experts.limit + first;
    load.produce();
    p.tload(load[0].valid(n, cols), x.at(row, 0));  // (n, cols) f32
    load.push();
    load.consume();
    store.produce();
    quantiser.begin(n);
    quantiser.scan(load[0], n, cols);
    quantiser.finish(store[1], n);
    quantiser.quantise(store[0], load[0], n, cols);
    load.pop();
    store.push();
    store.consume();
    p.tstore(q.at(row, 0), store[0].valid(n, cols));              // (n, cols) i8
    p.tstore(scale.transposed_at(row, 0), store[1].valid(n, 1));  // (n, 1) f32
    store.pop();
  });
}

}  // namespace

Kernel quant_rows(const std::string& name, std::uint32_t rows, std::uint32_t cols, const ArchSpec& arch) {
  const std::uint32_t step = step_rows(rows, cols, arch);
  const auto blocks = std::min(static_cast<std::uint32_t>(ceil_div(rows, step)), arch.vector_cores());
  KernelBuilder k{name, arch};
  const auto x = k.input("x", DType::F32, cols);
  const auto q = k.output("x_i8", DType::I8, cols);
  const auto scale = k.output("x_scale", DType::F32, 1);
  k.vector([&](PartBuilder& p) { emit_rows(p, {x, q, scale}, {1, rows, std::nullopt}, step, blocks); });
  return pack(k, blocks);
}

Kernel routed_quant(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::string name = "routed_quant";
  const std::uint32_t step = step_rows(cfg.recv_rows(), cfg.moe_inter, arch);
  const std::uint64_t items = cfg.local_experts * ceil_div(cfg.recv_max, step);
  const auto blocks = static_cast<std::uint32_t>(std::min<std::uint64_t>(items, arch.vector_cores()));
  KernelBuilder k{name, arch};
  const auto h = k.input("h", DType::F32, cfg.moe_inter);
  const auto count = k.input("count", DType::I32, 1);
  const auto q = k.output("h_i8", DType::I8, cfg.moe_inter);
  const auto scale = k.output("h_scale", DType::F32, 1);
  const ExpertRows experts{cfg.local_experts, cfg.recv_max, count};
  k.vector([&](PartBuilder& p) { emit_rows(p, {h, q, scale}, experts, step, blocks); });
  return pack(k, blocks);
}

}  // namespace npu::kernels
