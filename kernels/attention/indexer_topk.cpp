#include "kernels/attention/indexer_topk.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "kernels/common/pair_sort.hpp"

namespace npu::kernels {

using namespace isa;

//   MTE2   scores 0 | scores 1 | ...                          the n of the request, rounded up to whole runs
//   V                 sort, merge, codes 0 | ...
//   MTE3                                     row 0 | ...
Kernel indexer_topk(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t length = cfg.max_positions / 4, tokens = cfg.tokens();
  const std::uint32_t blocks = std::min(tokens, 2 * arch.clusters);
  if (length == 0 || length % PairSort::kRun != 0) {
    throw config_error(
        "indexer_topk: max_positions = {} gives {} index entries, rows are sorted in runs of {}; choose "
        "a multiple of {}",
        cfg.max_positions, length, PairSort::kRun, 4 * PairSort::kRun);
  }

  KernelBuilder k{"indexer_topk", arch};
  const auto score = k.input("score", DType::F32, length);
  const auto kv_seq_lens = k.input("kv_seq_lens", DType::I32, 1);
  const auto topk = k.output("topk", DType::I32, length);
  k.vector([&](PartBuilder& p) {
    const GmTensor score_gm = p.tensor(score), lengths = p.tensor(kv_seq_lens), topk_gm = p.tensor(topk);
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, length, Layout::ND, "score"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, length, Layout::ND, "topk"}});
    const Tile code = p.ub(DType::I32, 1, length, "code");
    PairSort order{p, 1, length};
    p.tci(code, static_cast<std::int32_t>(cfg.window + cfg.seq));
    p.for_range(p.block_index(), tokens, blocks, [&](const Reg& token) {
      const Reg n = p.load_gm(DType::I32, lengths.address(token / cfg.seq, 0)) / 4;
      store.produce();
      p.texpands(store[0], -1);
      p.if_(n > 0, [&] {
        const Reg cols = (n + (PairSort::kRun - 1)) / PairSort::kRun * PairSort::kRun;
        load.produce();
        p.tload(load[0].valid(1, cols), score_gm.at(token, 0));  // (1, cols) f32
        load.push();
        load.consume();
        order.sort(load[0], code, 1, cols);
        load.pop();
        order.take_indices(store[0], 1, min(n, cfg.index_topk));
      });
      store.push();
      store.consume();
      p.tstore(topk_gm.at(token, 0), store[0]);  // (1, L/4) i32
      store.pop();
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
