#include "kernels/attention/index_list.hpp"

#include <algorithm>

namespace npu::kernels {

using namespace isa;

//   V      columns: start + k, wrapped at W, -1 beyond the position
//   S                                                               the step's own tokens, an element each
//   MTE3                                                                                                   row
Kernel index_list_swa(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), window = cfg.window, seq = cfg.seq;
  const std::uint32_t blocks = std::min(tokens, 2 * arch.clusters);
  const auto width = static_cast<double>(window);

  KernelBuilder k{"index_list_swa", arch};
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto sparse_indices = k.output("sparse_indices", DType::I32, window);
  k.vector([&](PartBuilder& p) {
    const GmTensor position_gm = p.tensor(position_ids), list_gm = p.tensor(sparse_indices);
    const Tile column = p.ub(DType::I32, 1, window, "column"), flag = p.ub(DType::I32, 1, window, "flag");
    const Tile none = p.ub(DType::I32, 1, window, "none");
    Ring& list = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, window, Layout::ND, "list"}});
    // flag = (flag > 0) as 0 or 1
    const auto positive = [&] {
      p.vecs(Opcode::TMaxS, flag, flag, 0);
      p.vecs(Opcode::TMinS, flag, flag, 1);
    };
    p.tci(column, 0);
    p.for_range(p.block_index(), tokens, blocks, [&](const Reg& token) {
      const Reg position = p.load_gm(DType::I32, position_gm.address(token, 0));
      Reg start = p.imm(0);  // ring slot of column 0
      p.if_(position >= window - 1, [&] { start.set(position % window + 1); });
      list.produce();
      p.vecs(Opcode::TAddS, list[0], column, start);
      p.vecs(Opcode::TAddS, flag, list[0], 1 - width);
      positive();  // column wraps
      p.vecs(Opcode::TMulS, flag, flag, -width);
      p.vec(Opcode::TAdd, list[0], list[0], flag);
      const Reg minus_position = p.imm(0) - position;
      p.vecs(Opcode::TAddS, flag, column, minus_position);
      positive();  // column lies beyond the position
      p.vecs(Opcode::TAddS, none, list[0], 1);
      p.vec(Opcode::TMul, none, none, flag);
      p.vec(Opcode::TSub, list[0], list[0], none);
      p.sync(Pipe::V, Pipe::S);
      const Reg first = token / seq * seq;  // of the request
      p.for_range(first, token + 1, 1, [&](const Reg& own) {
        const Reg slot = p.load_gm(DType::I32, position_gm.address(own, 0)) % window;
        const Reg code = own - first + window;
        p.if_(slot <= position, [&] { p.store_tile(code, list[0], 0, (slot - start + window) % window); });
      });
      p.sync(Pipe::S, Pipe::MTE3);
      list.push();
      list.consume();
      p.tstore(list_gm.at(token, 0), list[0]);
      list.pop();
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
