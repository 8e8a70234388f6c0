#include "kernels/attention/ring_write.hpp"

#include <algorithm>

namespace npu::kernels {

using namespace isa;

// Every block walks all slots in token order and copies the rows whose slot is its own (slot mod blocks), so that
// tokens with one slot meet in one block, in order.
//
//   MTE2   kv row | kv row | kv row | ...
//   MTE3            ring row | ring row | ...
Kernel ring_write(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), dim = cfg.head_dim;
  // An odd count spreads slots that differ by a power of two (the same place in different pages).
  const std::uint32_t blocks = std::min(tokens, arch.vector_cores() - 1);

  KernelBuilder k{"ring_write", arch};
  const auto kv = k.input("kv", DType::BF16, dim);
  const auto ori_slot_mapping = k.input("ori_slot_mapping", DType::I64, 1);
  const auto kv_cache = k.inout("kv_cache", DType::BF16, dim);
  k.vector([&](PartBuilder& p) {
    const GmTensor kv_gm = p.tensor(kv), slot_gm = p.tensor(ori_slot_mapping), cache_gm = p.tensor(kv_cache);
    Ring& rows = p.ring(4, Pipe::MTE2, Pipe::MTE3, {{Space::UB, DType::BF16, 1, dim, Layout::ND, "row"}});
    const Reg block = p.block_index();
    p.for_range(0, tokens, 1, [&](const Reg& token) {
      const Reg slot = p.load_gm(DType::I64, slot_gm.address(token, 0));
      const Reg owner = slot % blocks;
      p.if_(slot >= 0, [&] {
        p.if_(owner == block, [&] {
          rows.produce();
          p.tload(rows[0], kv_gm.at(token, 0));  // (1, hd) bf16
          rows.push();
          rows.consume();
          p.tstore(cache_gm.at(slot, 0), rows[0]);
          rows.pop();
        });
      });
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
