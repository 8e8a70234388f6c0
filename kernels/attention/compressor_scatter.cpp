#include "kernels/attention/compressor_scatter.hpp"

#include <algorithm>

namespace npu::kernels {

using namespace isa;

// Every block walks all slots in token order and writes the rows whose slot is its own (slot mod blocks), so that
// tokens with one slot meet in one block, in order.
//
//   MTE2   kv, score, ape | kv, score, ape | ...
//   V                       score + ape    | ...
//   MTE3                    kv part          score part | ...
Kernel compressor_scatter(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                          const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), width = shape.width();
  // An odd count spreads slots that differ by a power of two (the same place in different pages).
  const std::uint32_t blocks = std::min(tokens, arch.vector_cores() - 1);

  KernelBuilder k{name, arch};
  const auto kv = k.input("kv", DType::F32, width);
  const auto score = k.input("score", DType::F32, width);
  const auto ape = k.input("ape", DType::F32, width);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto state_slot_mapping = k.input("state_slot_mapping", DType::I64, 1);
  const auto state = k.inout("state", DType::F32, 2 * width);
  k.vector([&](PartBuilder& p) {
    const GmTensor kv_gm = p.tensor(kv), score_gm = p.tensor(score), ape_gm = p.tensor(ape);
    const GmTensor position_gm = p.tensor(position_ids), slot_gm = p.tensor(state_slot_mapping);
    const GmTensor state_gm = p.tensor(state);
    const auto row = [&](const char* label) {
      return PartBuilder::RingMember{Space::UB, DType::F32, 1, width, Layout::ND, label};
    };
    Ring& copied = p.ring(2, Pipe::MTE2, Pipe::MTE3, {row("kv")});
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {row("score"), row("ape")});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {row("placed_score")});
    const Reg block = p.block_index();
    const auto write = [&](const Reg& token, const Reg& slot) {
      const Reg phase = p.load_gm(DType::I32, position_gm.address(token, 0)) % shape.ratio;
      copied.produce();
      p.tload(copied[0], kv_gm.at(token, 0));  // (1, o) f32
      copied.push();
      load.produce();
      p.tload(load[0], score_gm.at(token, 0));  // (1, o) f32
      p.tload(load[1], ape_gm.at(phase, 0));    // (1, o) f32
      load.push();
      copied.consume();
      p.tstore(state_gm.at(slot, 0), copied[0]);
      copied.pop();
      load.consume();
      store.produce();
      p.vec(Opcode::TAdd, store[0], load[0], load[1]);
      load.pop();
      store.push();
      store.consume();
      p.tstore(state_gm.at(slot, width), store[0]);
      store.pop();
    };
    p.for_range(0, tokens, 1, [&](const Reg& token) {
      const Reg slot = p.load_gm(DType::I64, slot_gm.address(token, 0));
      const Reg owner = slot % blocks;
      p.if_(slot >= 0, [&] { p.if_(owner == block, [&] { write(token, slot); }); });
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
