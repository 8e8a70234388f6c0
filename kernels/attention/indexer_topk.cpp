#include "kernels/attention/indexer_topk.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "isa/units.hpp"
#include "kernels/common/pair_sort.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kMostFillColumns = 1024;
constexpr std::uint64_t kMargin = 256;  // of UB, for alignment

struct Arguments {
  TensorArgument score, lengths, topk;
};

struct Plan {
  std::uint32_t tokens, seq, blocks, length;  ///< length: columns of a score row
  std::uint32_t topk, first_code;
  std::uint32_t kept, piece;  ///< columns in whole runs: of the best so far, and of scores sorted at once
  std::uint32_t fill;         ///< columns of one store of "none" behind the chosen codes
  [[nodiscard]] bool whole_rows() const { return piece == length; }
};

std::uint64_t whole_row_bytes(std::uint32_t length) {
  return std::uint64_t{length} * (2 * 4 + 2 * 4 + 4 + PairSort::row_bytes(1));
}

/// A row of scores at once where it fits; else pieces as long as possible, each sorted together with the best so far.
Plan plan_topk(const LayerConfig& cfg, const ArchSpec& arch) {
  Plan s{};
  s.tokens = cfg.tokens();
  s.seq = cfg.seq;
  s.blocks = std::min(s.tokens, arch.vector_cores());
  s.length = s.piece = cfg.max_positions / 4;
  s.topk = std::min(cfg.index_topk, s.length);
  s.kept = PairSort::padded(s.topk);
  s.first_code = cfg.window + cfg.seq;
  constexpr std::uint32_t kMostColumns = kSortBlock * kMaxSortRepeat;
  const std::uint64_t capacity = arch.buffer(Space::UB).capacity.count();
  if (whole_row_bytes(s.length) + kMargin <= capacity && s.length <= kMostColumns) return s;
  s.fill = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(capacity / 256 * 8, 8, kMostFillColumns));
  const std::uint64_t fixed = std::uint64_t{s.kept} * (4 + 2 * 4) + 4ULL * s.fill + kMargin;
  const std::uint64_t column = 2 * 4 + 4 + PairSort::row_bytes(1);
  const std::uint64_t columns = capacity > fixed ? (capacity - fixed) / column : 0;
  const std::uint64_t most = std::min<std::uint64_t>(columns, kMostColumns);
  const std::uint64_t runs = most > s.kept ? (most - s.kept) / PairSort::kRun : 0;
  s.piece = static_cast<std::uint32_t>(std::max<std::uint64_t>(runs, 1)) * PairSort::kRun;
  return s;
}

/// body(token, n): a block's tokens and how many entries each has.
template <class Body>
void for_each_token(PartBuilder& p, const Plan& s, const Arguments& a, const Body& body) {
  const GmTensor lengths = p.tensor(a.lengths);
  p.for_range(p.block_index(), s.tokens, s.blocks, [&](const Reg& token) {
    const Reg n = p.load_gm(DType::I32, lengths.address(token / s.seq, 0)) / 4;
    body(token, n);
  });
}

Reg whole_runs(const Reg& columns) { return (columns + (PairSort::kRun - 1)) / PairSort::kRun * PairSort::kRun; }

//   MTE2   scores 0 | scores 1 | ...                          the n of the request, rounded up to whole runs
//   V                 sort, merge, codes 0 | ...
//   MTE3                                     row 0 | ...
void emit_whole_rows(PartBuilder& p, const Plan& s, const Arguments& a) {
  const GmTensor score_gm = p.tensor(a.score), topk_gm = p.tensor(a.topk);
  Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, s.length, Layout::ND, "score"}});
  Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, s.length, Layout::ND, "topk"}});
  const Tile code = p.ub(DType::I32, 1, s.length, "code");
  PairSort order{p, 1, s.length};
  p.tci(code, static_cast<std::int32_t>(s.first_code));
  for_each_token(p, s, a, [&](const Reg& token, const Reg& n) {
    store.produce();
    p.texpands(store[0], -1);
    p.if_(n > 0, [&] {
      const Reg cols = whole_runs(n);
      load.produce();
      p.tload(load[0].valid(1, cols), score_gm.at(token, 0));  // (1, cols) f32
      load.push();
      load.consume();
      order.sort(load[0], code, 1, cols);
      load.pop();
      order.take_indices(store[0], 1, min(n, s.topk));
    });
    store.push();
    store.consume();
    p.tstore(topk_gm.at(token, 0), store[0]);  // (1, L/4) i32
    store.pop();
  });
}

//   MTE2   piece 0 | piece 1            | ...
//   V                best, piece 0: sort | best, piece 1: sort | ...
//   MTE3                                                              row, and -1 behind it
void emit_pieces(PartBuilder& p, const Plan& s, const Arguments& a) {
  const std::uint32_t width = s.kept + s.piece;
  const GmTensor score_gm = p.tensor(a.score), topk_gm = p.tensor(a.topk);
  Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, width, Layout::ND, "best_and_score"}});
  Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, s.kept, Layout::ND, "topk"}});
  const Tile best = p.ub(DType::F32, 1, s.kept, "best"), none = p.ub(DType::I32, 1, s.fill, "none");
  const Tile code = p.ub(DType::I32, 1, width, "code");
  const Tile best_code = code.view(0, 0, 1, s.kept), piece_code = code.view(0, s.kept, 1, s.piece);
  PairSort order{p, 1, width};
  p.texpands(none, -1);
  p.sync(Pipe::V, Pipe::MTE3);
  for_each_token(p, s, a, [&](const Reg& token, const Reg& n) {
    p.texpands(best, PairSort::kLast);
    p.texpands(best_code, -1);
    p.tci(piece_code, static_cast<std::int32_t>(s.first_code));
    p.for_range(0, n, s.piece, [&](const Reg& first) {
      const Reg cols = min(whole_runs(n - first), s.piece);
      load.produce();
      p.tload(load[0].view(0, s.kept, 1, s.piece).valid(1, cols), score_gm.at(token, first));  // (1, cols) f32
      load.push();
      load.consume();
      p.vec(Opcode::TCopy, load[0].view(0, 0, 1, s.kept), best);
      order.sort(load[0], code, 1, cols + s.kept);
      load.pop();
      order.take_values(best, 1, s.kept);
      order.take_indices(best_code, 1, s.kept);
      p.vecs(Opcode::TAddS, piece_code, piece_code, s.piece);
    });
    store.produce();
    p.texpands(store[0], -1);
    p.if_(n > 0, [&] {
      const Reg chosen = min(n, s.topk);
      p.vec(Opcode::TCopy, store[0].valid(1, chosen), best_code.valid(1, chosen));
    });
    store.push();
    store.consume();
    p.tstore(topk_gm.at(token, 0), store[0]);  // (1, kept) i32
    store.pop();
    p.for_range(s.kept, s.length, s.fill, [&](const Reg& col) {
      const Reg columns = min(p.imm(s.length) - col, s.fill);
      p.tstore(topk_gm.at(token, col), none.valid(1, columns));  // (1, columns) i32
    });
  });
}

}  // namespace

Kernel indexer_topk(const LayerConfig& cfg, const ArchSpec& arch) {
  const Plan s = plan_topk(cfg, arch);
  if (s.length == 0 || s.length % PairSort::kRun != 0) {
    throw config_error(
        "indexer_topk: max_positions = {} gives {} index entries, rows are sorted in runs of {}; choose "
        "a multiple of {}",
        cfg.max_positions, s.length, PairSort::kRun, 4 * PairSort::kRun);
  }
  KernelBuilder k{"indexer_topk", arch};
  const auto score = k.input("score", DType::F32, s.length);
  const auto kv_seq_lens = k.input("kv_seq_lens", DType::I32, 1);
  const auto topk = k.output("topk", DType::I32, s.length);
  const Arguments a{score, kv_seq_lens, topk};
  k.vector([&](PartBuilder& p) { s.whole_rows() ? emit_whole_rows(p, s, a) : emit_pieces(p, s, a); });
  return pack(k, s.blocks);
}

}  // namespace npu::kernels
