#include "kernels/attention/compressed_row_write.hpp"

#include <algorithm>

namespace npu::kernels {

using namespace isa;

//   MTE2   row | row | ...               one request a step
//   V            bf16 | ...
//   MTE3                cache row | ...
Kernel compressed_row_write(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                            const ArchSpec& arch) {
  const std::uint32_t seq = cfg.seq, h = shape.row_width;
  const std::uint32_t blocks = std::min(cfg.batch, arch.vector_cores());

  KernelBuilder k{name, arch};
  const auto row = k.input("row", DType::F32, h);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto cache_slot_mapping = k.input("cache_slot_mapping", DType::I64, 1);
  const auto cache = k.inout("cache", DType::BF16, h);
  k.vector([&](PartBuilder& p) {
    const GmTensor row_gm = p.tensor(row), cache_gm = p.tensor(cache);
    const GmTensor position_gm = p.tensor(position_ids), slot_gm = p.tensor(cache_slot_mapping);
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, h, Layout::ND, "row"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, 1, h, Layout::ND, "row_bf16"}});
    const auto write = [&](const Reg& token, const Reg& slot) {
      load.produce();
      p.tload(load[0], row_gm.at(token, 0));  // (1, h) f32
      load.push();
      load.consume();
      store.produce();
      p.tcvt(store[0], load[0], RoundMode::Rint);
      load.pop();
      store.push();
      store.consume();
      p.tstore(cache_gm.at(slot, 0), store[0]);
      store.pop();
    };
    p.for_range(p.block_index(), cfg.batch, blocks, [&](const Reg& request) {
      const Reg first = request * seq;  // token of the step
      const Reg position = p.load_gm(DType::I32, position_gm.address(first, 0));
      const Reg completing = p.imm(shape.ratio - 1) - position % shape.ratio;
      p.if_(completing < seq, [&] {
        const Reg slot = p.load_gm(DType::I64, slot_gm.address(first + completing, 0));
        p.if_(slot >= 0, [&] { write(first, slot); });
      });
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
